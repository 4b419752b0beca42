//! JPEGs of every variety, made here block by block: whole ones are accepted and decoded as a second decoder does, and what is
//! missing in damaged ones is named.

mod make;

use proptest::prelude::*;

use self::make::Make;
use super::*;

fn file(bytes: &[u8]) -> Result<Frame, String> {
    let mut frame = Frame::default();
    decode(bytes, &mut frame).map_err(|error| error.to_string())?;
    assert!(frame.is_consistent());
    Ok(frame)
}

/// What a second decoder, which shares no code with the first, makes of it.
fn second(bytes: &[u8]) -> (usize, Vec<u8>) {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let pixels = decoder.decode().unwrap();
    (decoder.info().unwrap().pixel_format.pixel_bytes(), pixels)
}

/// The sampling factors that are in use, and some that are odd.
const SAMPLINGS: [&[(usize, usize)]; 9] = [
    &[(1, 1)],
    &[(2, 2)],
    &[(1, 1), (1, 1), (1, 1)],
    &[(2, 1), (1, 1), (1, 1)],
    &[(2, 2), (1, 1), (1, 1)],
    &[(1, 2), (1, 1), (1, 1)],
    &[(4, 1), (1, 1), (1, 1)],
    &[(2, 2), (2, 1), (2, 1)],
    &[(2, 2), (1, 2), (1, 2)],
];

fn any_make() -> impl Strategy<Value = Make> {
    let shape = (1usize..50, 1usize..50, 0..SAMPLINGS.len());
    (shape, any::<bool>(), any::<bool>(), 0usize..6, any::<u64>()).prop_map(
        |((width, height, sampling), progressive, interleaved, restart, seed)| Make {
            width,
            height,
            sampling: SAMPLINGS[sampling].to_vec(),
            progressive,
            // Coarse colours one after the other are refused.
            interleaved: interleaved || SAMPLINGS[sampling].iter().any(|s| *s != (1, 1)),
            restart,
            seed,
            ..Make::default()
        },
    )
}

proptest! {
    #[test]
    fn whole_pictures_are_as_a_second_decoder_shows_them(make in any_make()) {
        let bytes = make.bytes();
        let frame = file(&bytes).map_err(TestCaseError::fail)?;
        prop_assert_eq!((frame.width, frame.height), (make.width, make.height));
        let (channels, pixels) = second(&bytes);
        prop_assert_eq!(channels, frame.format.bytes());
        let worst = pixels.iter().zip(&frame.pixels).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        // The two round differently, and differ in how they blend colours that are stored coarsely.
        let coarse = make.sampling.iter().any(|s| *s != make.sampling[0]);
        prop_assert!(worst <= if coarse { 40 } else { 4 }, "{} in {:?}", worst, make);
    }

    #[test]
    fn a_picture_that_was_cut_anywhere_is_damaged(make in any_make(), cut in 1usize..4_000, marked: bool) {
        let bytes = make.bytes();
        let mut cut = bytes[..bytes.len() - 2 - (1 + cut % (bytes.len() - 5))].to_vec();
        while cut.last() == Some(&0xFF) {
            cut.pop();
        }
        if marked {
            cut.extend([0xFF, 0xD9]);
        }
        let error = file(&cut).err().unwrap_or_default();
        prop_assert!(error.starts_with("damaged: "), "{}", error);
    }

    #[test]
    fn no_bytes_panic(make in any_make(), changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8), cut: usize) {
        let mut bytes = make.bytes();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(bytes.len() - cut % 40);
        let _ = file(&bytes);
        let _ = decode_camera_jpeg(&bytes, (make.width, make.height), cut % 2 == 0, &mut Frame::default());
    }
}

/// A segment with its marker and its length.
fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    [&[0xFF, marker][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
}

fn colour() -> Make {
    Make { sampling: vec![(2, 1), (1, 1), (1, 1)], ..Make::default() }
}

#[test]
fn a_frame_without_tables_has_the_standard_ones() {
    let size = (40, 24);
    let live = |bytes: &[u8], colour| {
        let mut frame = Frame::default();
        decode_camera_jpeg(bytes, size, colour, &mut frame).map(|()| (frame.format, frame.pixels))
    };
    for colours in [false, true] {
        let whole = live(&colour().bytes(), colours).unwrap();
        assert_eq!(whole.0 == PixelFormat::Rgb8, colours);
        for first in [vec![], segment(0xE0, b"AVI1\0\0\0\0\0\0\0\0\0\0")] {
            let bare = Make { tables: false, first, ..colour() }.bytes();
            assert!(live(&bare, colours).unwrap() == whole);
            assert!(live(&bare[..bare.len() - 9], colours).is_err());
        }
    }
    let error = decode_camera_jpeg(&colour().bytes(), (64, 24), false, &mut Frame::default());
    assert_eq!(error.unwrap_err().to_string(), "it is 40 x 24 pixels, not 64 x 24");
}

#[test]
fn colours_and_orientation_are_taken_as_they_are_told() {
    let three = Make { sampling: vec![(1, 1); 3], ..Make::default() };
    let adobe = Make { first: segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"), ..three.clone() }.bytes();
    let named = Make { names: *b"RGB", ..three.clone() }.bytes();
    let (told, other) = (file(&adobe).unwrap(), file(&three.bytes()).unwrap());
    assert!(told.pixels != other.pixels && told.pixels == file(&named).unwrap().pixels);
    // A camera that wants no colour gets the brightness of red, green and blue.
    let mut grey = Frame::default();
    decode_camera_jpeg(&adobe, (40, 24), false, &mut grey).unwrap();
    let wanted: Vec<u8> = told.pixels.as_chunks::<3>().0.iter().map(|&rgb| luma(rgb)).collect();
    assert!(grey.pixels == wanted);
    let exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let lying = Make { first: segment(0xE1, exif), ..three }.bytes();
    assert_eq!(decode(&lying, &mut Frame::default()).unwrap(), 6);
}

#[test]
fn what_is_not_read_is_refused_in_words() {
    let whole = colour().bytes();
    let frame = whole.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    let with = |at: usize, value| {
        let mut bytes = whole.clone();
        bytes[frame + at] = value;
        file(&bytes).err().unwrap_or_default()
    };
    assert!(with(4, 12).starts_with("is a JPEG of 12 bits"));
    assert!(with(1, 0xC9).starts_with("is a JPEG with arithmetic coding"));
    assert!(with(1, 0xC3).starts_with("is a JPEG without loss or with layers"));
    assert!(with(9, 4).starts_with("is a JPEG in CMYK"));
    assert!(with(7, 0xFF).starts_with("is 65320 x 24 pixels; a side"));
    let apart = Make { interleaved: false, ..colour() };
    assert!(file(&apart.bytes()).unwrap_err().contains("one after the other"));
}

#[test]
fn lost_restart_markers_rows_and_scans_are_told() {
    let make = Make { restart: 2, ..Make::default() };
    let whole = make.bytes();
    let markers: Vec<usize> = (0..whole.len() - 1)
        .filter(|&at| whole[at] == 0xFF && (0xD0..=0xD7).contains(&whole[at + 1]))
        .collect();
    let says = |bytes: &[u8]| file(bytes).err().unwrap_or_else(|| "it was read".to_owned());
    let mut swapped = whole.clone();
    swapped[markers[3] + 1] = 0xD5;
    assert_eq!(says(&swapped), "damaged: restart marker 5 stands where 3 belongs, in row 9 of 24");
    let mut stretch = whole.clone();
    stretch.drain(markers[2]..markers[3]);
    assert_eq!(says(&stretch), "damaged: restart marker 3 stands where 2 belongs, in row 9 of 24");
    let mut tail = whole[..markers[4]].to_vec();
    tail.extend([0xFF, 0xD9]);
    assert_eq!(says(&tail), "damaged: its data ends in row 17 of 24");
    let mut more = whole.clone();
    more.splice(whole.len() - 2..whole.len() - 2, [0, 0, 0, 0]);
    assert_eq!(says(&more), "damaged: 4 bytes of its data belong nowhere, at row 24 of 24");
    more.drain(whole.len() - 2..whole.len() - 1);
    assert!(file(&more).is_ok(), "three zeros that fill up to whole words");
    let mut closed = whole.clone();
    closed.splice(whole.len() - 2..whole.len() - 2, [0xFF, 0xD7]);
    assert!(file(&closed).is_ok(), "the last stretch is closed by a marker too");
    // The last scan of a progressive picture tells the last bit of its details.
    let progressive = Make { progressive: true, ..Make::default() }.bytes();
    let last = progressive.windows(2).rposition(|two| two == [0xFF, 0xDA]).unwrap();
    let mut coarse = progressive[..last].to_vec();
    coarse.extend([0xFF, 0xD9]);
    assert_eq!(says(&coarse), "damaged: scans are missing: it ends before its details came");
}

#[test]
fn two_pictures_in_one_are_told_from_a_picture_with_more_behind_it() {
    let whole = colour().bytes();
    let says = |bytes: &[u8]| file(bytes).err();
    assert_eq!(says(&[&whole[..], &whole].concat()).unwrap(), "damaged: a second picture follows in it");
    assert!(says(&[&whole[..whole.len() / 2], &whole].concat()).unwrap().starts_with("damaged: "));
    assert!(says(&[&whole[..], b"what some cameras append"].concat()).is_none());
    let listed = Make { first: segment(0xE2, b"MPF\0"), ..colour() }.bytes();
    assert!(says(&[&listed[..], &whole].concat()).is_none(), "listed by the camera that made both");
    let error = says(&whole[..whole.len() - 2]).unwrap();
    assert!(error == "damaged: its data ends in row 24 of 24" || error == "damaged: its end is missing");
}

#[test]
fn more_scans_than_a_picture_is_worth_are_refused() {
    let whole = Make { progressive: true, ..Make::default() }.bytes();
    let scans: Vec<usize> = (0..whole.len() - 1).filter(|&at| whole[at..at + 2] == [0xFF, 0xDA]).collect();
    // The scan that refines the means, again and again.
    let scan = whole[scans[0]..scans[1]].to_vec();
    let mut many = whole[..scans[0]].to_vec();
    (0..200).for_each(|_| many.extend(&scan));
    assert!(file(&many).is_err());
}
