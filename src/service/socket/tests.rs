//! The socket on real connections.

use std::io::{BufRead as _, BufReader};

use super::*;
use crate::clock::{SimClock, SystemClock};

struct Bench {
    folder: tempfile::TempDir,
    taken: crossbeam_channel::Receiver<RemoteCommand>,
    socket: CommandSocket,
}

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("command.sock")
}

/// A line that has room for two commands.
fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let (sender, taken) = crossbeam_channel::bounded(2);
    let take: Take = Arc::new(move |command| sender.try_send(command).map_err(|_| "busy".to_owned()));
    let socket = CommandSocket::open(&path(&folder), take, Arc::new(SystemClock)).unwrap();
    Bench { folder, taken, socket }
}

fn connect(bench: &Bench) -> BufReader<UnixStream> {
    let stream = UnixStream::connect(path(&bench.folder)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    BufReader::new(stream)
}

fn ask(connection: &mut BufReader<UnixStream>, text: &[u8]) -> String {
    // A side that has closed already takes nothing more; what it said before can still be read.
    let _ = connection.get_mut().write_all(text);
    let mut answer = String::new();
    let _ = connection.read_line(&mut answer);
    answer
}

#[test]
fn a_line_is_answered_with_a_line() {
    let bench = bench();
    let mut connection = connect(&bench);
    assert_eq!(ask(&mut connection, b"trigger\n"), "ok\n");
    assert!(ask(&mut connection, b"stop\n").starts_with("error: `stop` is no command; right would be `tri"));
    connection.get_mut().write_all(b"re").unwrap();
    assert_eq!(ask(&mut connection, b"set\r\ntrigger\n"), "ok\n");
    assert_eq!(ask(&mut connection, b""), "error: busy\n");
    let taken: Vec<_> = bench.taken.try_iter().collect();
    assert_eq!(taken, [RemoteCommand::Trigger, RemoteCommand::Reset]);
}

#[test]
fn what_is_no_line_ends_the_connection() {
    let bench = bench();
    let mut connection = connect(&bench);
    let endless = ask(&mut connection, &[b'x'; 5000]);
    assert_eq!(endless, "error: a line has at most 256 bytes\n");
    assert!(ask(&mut connect(&bench), b"\xff\xfe\n").starts_with("error: `\u{fffd}"));
}

/// Whether the other side has closed this connection; waits for what it says.
fn is_closed(connection: &mut BufReader<UnixStream>) -> bool {
    ask(connection, b"").is_empty()
}

#[test]
fn there_is_always_room_and_who_sends_junk_makes_it() {
    let bench = bench();
    let mut good = connect(&bench);
    assert_eq!(ask(&mut good, b"reset\n"), "ok\n");
    let mut silent = connect(&bench);
    let mut junk: Vec<_> = (2..MOST).map(|_| connect(&bench)).collect();
    for connection in &mut junk {
        assert!(ask(connection, b"?\n").starts_with("error: `?`"));
    }
    for _ in 2..MOST {
        assert_eq!(ask(&mut connect(&bench), b"reset\n").as_str(), "ok\n");
        bench.taken.try_iter().for_each(drop);
    }
    drop(bench.taken);
    assert_eq!(ask(&mut good, b"reset\n"), "error: busy\n", "who behaves stays");
    assert!(junk.iter_mut().any(is_closed));
    silent.get_mut().write_all(b"x").unwrap();
    drop(bench.socket);
    assert!(is_closed(&mut good), "closed by the stop");
}

#[test]
fn of_those_that_behave_the_idlest_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(Time::ZERO.plus_s(1.0)));
    let socket = CommandSocket::open(&path(&folder), Arc::new(|_| Ok(())), clock.clone()).unwrap();
    let connect = || BufReader::new(UnixStream::connect(path(&folder)).unwrap());
    let mut open = Vec::new();
    for _ in 0..MOST {
        let mut connection = connect();
        assert_eq!(ask(&mut connection, b"reset\n"), "ok\n");
        open.push(connection);
        clock.advance_to(clock.now() + Duration::from_secs(1));
    }
    // The oldest is not the idlest any more.
    assert_eq!(ask(&mut open[0], b"reset\n"), "ok\n");
    assert_eq!(ask(&mut connect(), b"reset\n"), "ok\n");
    assert!(is_closed(&mut open[1]));
    for at in [0, 2, 3, 4, 5, 6, 7] {
        assert_eq!(ask(&mut open[at], b"reset\n"), "ok\n", "{at}");
    }
    drop(socket);
}

#[test]
fn lines_that_are_no_commands_end_a_connection() {
    let bench = bench();
    let mut connection = connect(&bench);
    assert!(ask(&mut connection, b"a\n").starts_with("error: `a`"));
    assert!(ask(&mut connection, b"b\n").starts_with("error: `b`"));
    assert_eq!(ask(&mut connection, b"reset\n"), "ok\n", "one that is makes up for them");
    for wrong in 1..=WRONG {
        assert!(ask(&mut connection, b"c\n").starts_with("error: `c`"), "{wrong}");
    }
    assert!(is_closed(&mut connection));
}

#[test]
fn a_flood_over_one_connection_is_slowed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::default());
    let _socket = CommandSocket::open(&path(&folder), Arc::new(|_| Ok(())), clock.clone()).unwrap();
    let mut connection = BufReader::new(UnixStream::connect(path(&folder)).unwrap());
    connection.get_mut().write_all(&b"reset\n".repeat(1016)).unwrap();
    for _ in 0..1016 {
        assert_eq!(ask(&mut connection, b""), "ok\n");
    }
    assert!(clock.now() >= Time::ZERO + LINE_EVERY * 1000, "{:?}", clock.now());
}

#[test]
fn an_idle_connection_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::default());
    let socket = CommandSocket::open(&path(&folder), Arc::new(|_| Ok(())), clock.clone()).unwrap();
    let mut connection = BufReader::new(UnixStream::connect(path(&folder)).unwrap());
    assert_eq!(ask(&mut connection, b"reset\n"), "ok\n");
    clock.advance_to(Time::ZERO + IDLE);
    assert_eq!(ask(&mut connection, b"r"), "");
    let mut silent = BufReader::new(UnixStream::connect(path(&folder)).unwrap());
    silent.get_mut().write_all(b"r").unwrap();
    clock.advance_to(Time::ZERO + IDLE + FIRST_WITHIN);
    assert_eq!(ask(&mut silent, b"e"), "", "one that has sent no command is closed sooner");
    drop(socket);
}

#[test]
fn the_file_has_its_rights_and_goes_with_the_socket() {
    let bench = bench();
    let file = path(&bench.folder);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, MODE);
    let folder = bench.folder;
    drop(bench.socket);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn what_a_dead_process_left_is_replaced_and_everything_else_is_not() {
    let told = |path: &Path| {
        let socket = CommandSocket::open(path, Arc::new(|_| Ok(())), Arc::new(SystemClock));
        socket.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let bench = bench();
    let file = path(&bench.folder);
    assert!(told(&file).ends_with("another castgate takes commands here; stop it, or choose another path"));
    assert_eq!(ask(&mut connect(&bench), b"reset\n"), "ok\n", "the live one is not disturbed");

    let stale = bench.folder.path().join("stale");
    drop(UnixListener::bind(&stale).unwrap());
    assert_eq!(told(&stale), "");
    let plain = bench.folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    assert!(told(&plain).contains("is there and is no socket"), "{}", told(&plain));
    let nowhere = bench.folder.path().join("nowhere/command.sock");
    assert!(told(&nowhere).contains("the folder must exist"), "{}", told(&nowhere));
    let long = bench.folder.path().join("x".repeat(200));
    assert!(told(&long).contains("shorter"), "{}", told(&long));
}
