//! Packets as bytes.

use proptest::prelude::*;

use super::*;

/// Everything that `bytes` say, as text, fed in pieces of `piece` bytes.
fn read(bytes: &[u8], piece: usize) -> (Vec<String>, Result<(), Malformed>, usize) {
    let (mut decoder, mut told) = (Decoder::default(), Vec::new());
    let mut most = 0;
    for bytes in bytes.chunks(piece.max(1)) {
        let done = decoder.feed(bytes, |packet| told.push(format!("{packet:?}")));
        most = most.max(decoder.head.len());
        if done.is_err() {
            return (told, done, most);
        }
    }
    (told, Ok(()), most)
}

fn message(first: u8, topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let id = id.map(u16::to_be_bytes).unwrap_or_default();
    let numbered = if first & 0b110 == 0 { 0 } else { 2 };
    frame(first, &[&text(topic.as_bytes()), &id[..numbered], payload], &mut out);
    out
}

#[test]
fn what_is_sent_is_what_the_standard_says() {
    let mut out = Vec::new();
    publish(10, "a/b", true, "hi", &mut out);
    assert_eq!(out, [0x33, 9, 0, 3, b'a', b'/', b'b', 0, 10, b'h', b'i']);
    out.clear();
    subscribe(2, "c", &mut out);
    acknowledge(258, &mut out);
    ping(&mut out);
    disconnect(&mut out);
    assert_eq!(out, [0x82, 6, 0, 2, 0, 1, b'c', 1, 0x40, 2, 1, 2, 0xc0, 0, 0xe0, 0]);
    out.clear();
    publish(1, "t", false, &"x".repeat(200), &mut out);
    assert_eq!(out[..3], [0x32, 0x80 | 77, 1], "205 bytes follow");
}

#[test]
fn a_message_of_any_length_is_known_and_none_is_kept_whole() {
    for length in [0, 1, LONGEST, LONGEST + 1, 70_000, 3_000_000] {
        let mut bytes = message(0x33, "line/command", Some(7), &vec![b'x'; length]);
        acknowledge(9, &mut bytes);
        let (told, done, most) = read(&bytes, 4096);
        assert_eq!((told.len(), done), (2, Ok(())), "{length}");
        assert!(most <= HEAD && told[1] == "PubAck(9)", "{length}: {most}");
        let kept = length.min(LONGEST + 1);
        let mut decoder = Decoder::default();
        let check = |packet: Incoming<'_>| {
            if let Incoming::Publish(published) = packet {
                assert_eq!((published.id, published.payload.len()), (Some(7), kept), "{length}");
            }
        };
        decoder.feed(&bytes, check).unwrap();
    }
}

#[test]
fn the_longest_topic_is_read_and_the_packet_number_behind_it() {
    let bytes = message(0x32, &"t".repeat(65_535), Some(77), &[b'x'; 100_000]);
    let mut seen = None;
    let note = |packet: Incoming<'_>| match packet {
        Incoming::Publish(published) => seen = Some((published.topic.len(), published.id)),
        other => panic!("{other:?}"),
    };
    Decoder::default().feed(&bytes, note).unwrap();
    assert_eq!(seen, Some((65_535, Some(77))));
}

#[test]
fn what_no_broker_sends_is_refused() {
    for bytes in [
        &[0x32, 0xff, 0xff, 0xff, 0xff, 0x01][..],
        &[0x10, 0],
        &[0xf0, 0],
        &[0x00, 0],
        &[0x20, 1, 0],
        &[0x40, 1, 0],
        &[0x40, 2, 0, 0],
        &[0x90, 2, 0, 1],
        &[0x30, 1, 0],
        &[0x30, 3, 0, 2, b'a'],
        &[0x32, 4, 0, 2, b'a', b'b'],
        &[0x32, 5, 0, 1, b'a', 0, 0],
        &[0x36, 5, 0, 1, b'a', 0, 1],
    ] {
        assert!(read(bytes, 1).1.is_err(), "{bytes:x?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_without_a_panic_and_in_bounded_memory(
        bytes in prop::collection::vec(any::<u8>(), 0..600), piece in 1_usize..40
    ) {
        let (told, done, most) = read(&bytes, piece);
        prop_assert!(most <= HEAD);
        let (whole, done_whole, _) = read(&bytes, bytes.len());
        prop_assert_eq!((told, done), (whole, done_whole), "the pieces in which bytes come do not matter");
    }
}
