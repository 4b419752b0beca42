//! Conversations, by bytes and moments.

use proptest::prelude::*;

use super::*;
use crate::config;

const CONNACK: [u8; 4] = [0x20, 2, 0, 0];
const PINGRESP: [u8; 2] = [0xd0, 0];

fn at(s: f64) -> Time {
    Time::ZERO.plus_s(s)
}

fn talk(keep_alive_s: u64) -> Talk {
    let settings = Settings::check(&config::Mqtt::default(), "test").ok().unwrap();
    let settings = Settings { keep_alive: Duration::from_secs(keep_alive_s), ..settings };
    Talk::new(&settings, "{}", at(0.0))
}

fn accepted(keep_alive_s: u64) -> Talk {
    let mut talk = talk(keep_alive_s);
    assert_eq!(heard(&mut talk, &CONNACK, 0.1), [News::Connected]);
    talk.taken(talk.out().len());
    talk
}

fn heard(talk: &mut Talk, bytes: &[u8], s: f64) -> Vec<News> {
    let mut news = Vec::new();
    talk.hear(bytes, at(s), &mut news).unwrap();
    news
}

fn send(talk: &mut Talk, ticket: Ticket, s: f64) {
    let (topic, payload) = ("castgate/test/part".to_owned(), "{}".to_owned());
    talk.ask(Request::Publish { tag: Tag::Message(ticket), topic, retain: false, payload }, at(s));
}

fn acknowledgement(id: u16) -> Vec<u8> {
    let mut out = Vec::new();
    wire::acknowledge(id, &mut out);
    out
}

fn words(trouble: Result<(), Trouble>) -> String {
    match trouble.unwrap_err() {
        Trouble::Unreachable(words) => words,
        other => panic!("{other:?}"),
    }
}

fn published(first: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    if first & 0b110 != 0 {
        body.extend(id.to_be_bytes());
    }
    body.extend(payload);
    let mut bytes = vec![first];
    let mut length = body.len();
    while length > 0x7f {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes
}

#[test]
fn a_broker_that_never_acknowledges_is_noticed_in_ten_seconds_though_it_answers_all_else() {
    let mut talk = accepted(15);
    send(&mut talk, 0, 3.0);
    (1..64).for_each(|ticket| send(&mut talk, ticket, 4.0));
    heard(&mut talk, &PINGRESP, 12.0);
    heard(&mut talk, &published(0x30, "x", 0, b"y"), 12.9);
    assert_eq!((talk.next_due(), talk.on_time(at(12.9))), (at(13.0), Ok(())));
    let words = words(talk.on_time(at(13.0)));
    assert!(words.starts_with("the broker took messages and has acknowledged nothing for 10 s;"), "{words}");
}

#[test]
fn acknowledgements_of_something_else_are_no_acknowledgements_and_are_told() {
    let mut talk = accepted(5);
    send(&mut talk, 0, 1.0);
    for id in 2..9 {
        assert_eq!(heard(&mut talk, &acknowledgement(id), 2.0), []);
    }
    let words = words(talk.on_time(at(6.0)));
    assert!(words.contains("acknowledged nothing for 5 s, but what was not sent;"), "{words}");
}

#[test]
fn a_slow_broker_is_slow_and_not_in_trouble() {
    let mut talk = accepted(3600);
    (0..64).for_each(|ticket| send(&mut talk, ticket, 1.0));
    for id in 1..=64_u16 {
        let s = 1.0 + f64::from(id) * 9.0;
        assert_eq!(talk.on_time(at(s)), Ok(()));
        let tag = Tag::Message(u64::from(id) - 1);
        assert_eq!(heard(&mut talk, &acknowledgement(id), s), [News::Acknowledged(tag)]);
    }
    assert_eq!(talk.next_due(), at(3600.1), "nothing is under way: only the sign of life is due");
}

#[test]
fn no_answer_to_the_request_and_to_a_sign_of_life_is_noticed() {
    let mut silent = talk(15);
    assert_eq!(words(silent.on_time(at(5.0))), "no answer within 5 s");
    let mut half_open = accepted(15);
    assert_eq!((half_open.on_time(at(15.1)), half_open.out()), (Ok(()), &[0xc0, 0][..]));
    assert_eq!(half_open.on_time(at(25.0)), Ok(()));
    assert_eq!(words(half_open.on_time(at(25.1))), "no answer to a sign of life within 10 s");
    let mut alive = accepted(15);
    for round in 1..100 {
        let s = f64::from(round) * 15.0 + 0.2;
        assert_eq!(alive.on_time(at(s)), Ok(()));
        heard(&mut alive, &PINGRESP, s + 9.0);
    }
}

#[test]
fn only_what_was_asked_for_is_a_command() {
    const TOPIC: &str = "castgate/test/command";
    let reset = |first, topic: &str| published(first, topic, 7, b"reset");
    let mut deaf = accepted(15);
    assert_eq!(heard(&mut deaf, &reset(0x32, TOPIC), 1.0), [News::Unasked(1)], "nobody asked");
    let mut talk = accepted(15);
    talk.ask(Request::Listen, at(1.0));
    talk.taken(talk.out().len());
    let others = ["castgate/test/part", "castgate/other/command", "", "castgate/test/command/x", "$SYS"];
    let bytes: Vec<u8> = others.iter().flat_map(|topic| reset(0x32, topic)).collect();
    assert_eq!(heard(&mut talk, &bytes, 1.0), [News::Unasked(5)]);
    assert_eq!(talk.out().len(), 5 * 4, "acknowledged all the same, so that they do not come again");
    let command =
        |retained, repeated| [News::Command(Command { payload: b"reset".to_vec(), retained, repeated })];
    assert_eq!(heard(&mut talk, &reset(0x32, TOPIC), 1.0), command(false, false));
    assert_eq!(heard(&mut talk, &reset(0x30, TOPIC), 1.0), command(false, false));
    assert_eq!(heard(&mut talk, &reset(0x33, TOPIC), 1.0), command(true, false));
    assert_eq!(heard(&mut talk, &reset(0x3a, TOPIC), 1.0), command(false, true));
    talk.taken(talk.out().len());
    assert_eq!(heard(&mut talk, &reset(0x34, TOPIC), 1.0), [News::Unasked(1)], "quality of service 2");
    assert_eq!(heard(&mut talk, &[0x62, 2, 0, 7], 1.0), []);
    assert_eq!(talk.out(), [0x50, 2, 0, 7, 0x70, 2, 0, 7], "which is answered as it wants");
}

#[test]
fn a_message_of_hundreds_of_megabytes_is_passed_over_and_costs_no_patience() {
    let mut talk = accepted(15);
    talk.ask(Request::Listen, at(1.0));
    send(&mut talk, 5, 1.0);
    let head = published(0x33, "castgate/test/command", 7, b"");
    let length = 200_000_000 + head.len() - 2;
    let mut bytes = vec![head[0]];
    bytes.extend([
        length as u8 | 0x80,
        (length >> 7) as u8 | 0x80,
        (length >> 14) as u8 | 0x80,
        (length >> 21) as u8,
    ]);
    bytes.extend(&head[2..]);
    assert_eq!(heard(&mut talk, &bytes, 1.0), []);
    let piece = vec![b'x'; 1_000_000];
    for round in 0..199 {
        let s = 1.0 + f64::from(round) * 0.2;
        assert_eq!((heard(&mut talk, &piece, s), talk.on_time(at(s))), (vec![], Ok(())));
    }
    let news = heard(&mut talk, &piece, 41.0);
    assert!(matches!(&news[..], [News::Command(command)] if command.payload.len() == 257), "{news:?}");
    assert_eq!(heard(&mut talk, &acknowledgement(2), 41.0), [News::Acknowledged(Tag::Message(5))]);
}

#[test]
fn a_message_that_never_ends_is_not_waited_for() {
    let mut talk = accepted(15);
    send(&mut talk, 5, 1.0);
    let mut trickle = vec![0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, b'x'];
    trickle.extend(vec![0; 70_000]);
    heard(&mut talk, &trickle, 1.0);
    let end = (1..).find(|&s| {
        heard(&mut talk, b"x", f64::from(s));
        talk.on_time(at(f64::from(s))).is_err()
    });
    assert!((60..=75).contains(&end.unwrap()), "{end:?}");
}

#[test]
fn every_refusal_has_its_words_and_what_is_no_broker_is_said_to_be_none() {
    for (code, beginning) in
        [(1, "it does not speak"), (2, "client id"), (3, "service"), (4, "bad user"), (5, "not auth")]
    {
        let trouble = talk(15).hear(&[0x20, 2, 0, code], at(0.1), &mut Vec::new());
        assert!(matches!(trouble, Err(Trouble::Refused(words)) if words.starts_with(beginning)));
    }
    for bytes in [&[0x20, 2, 0, 99][..], b"HTTP/1.1 400 Bad Request\r\n", b"220 mail ready\r\n", &PINGRESP] {
        let words = words(talk(15).hear(bytes, at(0.1), &mut Vec::new()));
        assert!(words.starts_with("it does not speak MQTT as expected: "), "{words}");
    }
}

#[test]
fn packet_numbers_go_round_and_none_is_given_twice_at_a_time() {
    let mut talk = accepted(15);
    send(&mut talk, 0, 1.0);
    for _ in 0..70_000 {
        send(&mut talk, 1, 1.0);
        let id = talk.last_id;
        assert!(id > 1);
        assert_eq!(heard(&mut talk, &acknowledgement(id), 1.0), [News::Acknowledged(Tag::Message(1))]);
        talk.taken(talk.out().len());
    }
}

proptest! {
    #[test]
    fn whatever_a_broker_says_every_message_is_acknowledged_once_at_most(
        bytes in prop::collection::vec(prop_oneof![Just(0x40_u8), Just(0x32), Just(2), Just(0), Just(0x20), any::<u8>()], 0..400)
    ) {
        let mut talk = accepted(15);
        (0..20).for_each(|ticket| send(&mut talk, ticket, 1.0));
        let mut news = Vec::new();
        let _ = talk.hear(&bytes, at(2.0), &mut news);
        let mut tags: Vec<_> = news.iter().filter(|news| matches!(news, News::Acknowledged(_))).collect();
        let all = tags.len();
        tags.dedup();
        prop_assert!(tags.len() == all && all <= 20);
        prop_assert!(talk.next_due() >= at(1.0));
    }
}
