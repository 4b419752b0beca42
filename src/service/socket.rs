//! The local socket on which commands are taken: a line in, a line back.
//!
//! ```text
//! > reset
//! < ok
//! > stop
//! < error: `stop` is no command; right would be `trigger` or `reset`
//! ```
//! Threads `commands`: one that accepts, and one for each connection, of which there are at most [`MOST`]. A socket file that a dead
//! process left behind is replaced; one on which somebody listens is not. Must not know what a command does.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::clock::{Clock, Time};
use crate::remote::{LONGEST, RemoteCommand, Take};

/// Most connections at a time.
pub const MOST: usize = 8;
/// A connection that sends no whole line for so long is closed.
pub const IDLE: Duration = Duration::from_secs(30);
/// A reader that takes no answer for so long is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Owner and group may send commands, nobody else.
const MODE: u32 = 0o660;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("commands.socket {}: {what}", .path.display())]
pub struct SocketError {
    path: PathBuf,
    what: String,
}

/// Takes commands until it is dropped; then the file is gone and every connection closed.
pub struct CommandSocket {
    path: PathBuf,
    /// Device and inode of the file, by which it is known again.
    file: (u64, u64),
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    take: Take,
    clock: Arc<dyn Clock>,
    stopping: AtomicBool,
    /// The other ends of what the connections' threads read from.
    open: Mutex<Vec<Arc<UnixStream>>>,
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Whether the place is free, or holds what a dead process left.
fn make_room(path: &Path) -> Result<(), String> {
    let kind = match fs::symlink_metadata(path) {
        Ok(file) => file.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    if !kind.is_socket() {
        return Err("is there and is no socket; choose another path, or remove it".to_owned());
    }
    match UnixStream::connect(path) {
        Ok(_) => Err("another castgate takes commands here; stop it, or choose another path".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(format!("cannot tell whether somebody listens: {error}")),
    }
}

/// Binds beside the place and moves the finished socket there: whoever sees it sees it with its rights.
fn bind(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = folder.join(format!(".cg{}", std::process::id()));
    let bound = || {
        let listener = UnixListener::bind(&beside)?;
        fs::set_permissions(&beside, fs::Permissions::from_mode(MODE))?;
        let file = identity(&beside)?;
        fs::rename(&beside, path)?;
        Ok((listener, file))
    };
    bound().inspect_err(|_| drop(fs::remove_file(&beside)))
}

impl CommandSocket {
    /// Begins to take commands on the socket `path`.
    ///
    /// # Errors
    /// When something else is there, somebody listens there already, or the system refuses.
    pub fn open(path: &Path, take: Take, clock: Arc<dyn Clock>) -> Result<Self, SocketError> {
        let error = |what: String| SocketError { path: path.to_owned(), what };
        // Nobody could connect to a longer one.
        SocketAddr::from_pathname(path).map_err(|cause| error(cause.to_string()))?;
        make_room(path).map_err(error)?;
        let (listener, file) = bind(path)
            .map_err(|cause| error(format!("{cause}; the folder must exist and be writable for castgate")))?;
        let shared =
            Arc::new(Shared { take, clock, stopping: AtomicBool::new(false), open: Mutex::default() });
        let accepting = shared.clone();
        let thread = Builder::new().name("commands".to_owned()).spawn(move || accept(&listener, &accepting));
        let mut socket = Self { path: path.to_owned(), file, shared, thread: None };
        socket.thread = Some(thread.map_err(|cause| error(cause.to_string()))?);
        Ok(socket)
    }
}

impl Drop for CommandSocket {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let ours = identity(&self.path).is_ok_and(|file| file == self.file);
        // Wakes the thread that accepts. A file that somebody else put there leads elsewhere: then it stays asleep, and is left behind.
        let woken = ours && UnixStream::connect(&self.path).is_ok();
        if ours {
            let _ = fs::remove_file(&self.path);
        }
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            // A panic in it has been logged by the panic hook.
            let _ = thread.join();
        }
    }
}

fn accept(listener: &UnixListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::Relaxed) {
            return;
        }
        let stream = match stream {
            Ok(stream) => Arc::new(stream),
            Err(error) => {
                // Most likely too many open files: another attempt at once would fail as well.
                log::warn!("a connection to the command socket could not be accepted: {error}");
                shared.clock.sleep_until(shared.clock.now() + ANSWER_WITHIN);
                continue;
            }
        };
        let _ = stream.set_write_timeout(Some(ANSWER_WITHIN));
        if !shared.remember(&stream) {
            let _ = (&*stream).write_all(format!("error: busy: {MOST} connections are open\n").as_bytes());
            continue;
        }
        let (theirs, mine) = (shared.clone(), stream.clone());
        let converse = move || {
            converse(&mine, &theirs);
            theirs.forget(&mine);
        };
        if let Err(error) = Builder::new().name("commands".to_owned()).spawn(converse) {
            log::warn!("no thread for a connection to the command socket: {error}");
            shared.forget(&stream);
        }
    }
}

impl Shared {
    /// Whether there was room for it.
    fn remember(&self, stream: &Arc<UnixStream>) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let room = open.len() < MOST;
        if room {
            open.push(stream.clone());
        }
        room
    }

    fn forget(&self, stream: &Arc<UnixStream>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|other| !Arc::ptr_eq(other, stream));
    }
}

/// Answers line after line, until the other side leaves, is idle, or sends what is no line.
fn converse(stream: &UnixStream, shared: &Shared) {
    let mut stream = stream;
    let (mut buffer, mut filled) = ([0; LONGEST], 0);
    let mut deadline = shared.clock.now() + IDLE;
    loop {
        while let Some(end) = buffer[..filled].iter().position(|byte| *byte == b'\n') {
            let answer = answer(&String::from_utf8_lossy(&buffer[..end]), shared);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
            buffer.copy_within(end + 1..filled, 0);
            filled -= end + 1;
            deadline = shared.clock.now() + IDLE;
        }
        if filled == buffer.len() {
            let _ = stream.write_all(format!("error: a line has at most {LONGEST} bytes\n").as_bytes());
            return;
        }
        match read(stream, &mut buffer[filled..], deadline, shared) {
            Some(read) => filled += read,
            None => return,
        }
    }
}

/// Reads some bytes before `deadline`; `None` at the end.
fn read(mut stream: &UnixStream, buffer: &mut [u8], deadline: Time, shared: &Shared) -> Option<usize> {
    loop {
        let left = deadline - shared.clock.now();
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return None;
        }
        match stream.read(buffer) {
            Ok(0) => return None,
            Ok(read) => return Some(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

fn answer(line: &str, shared: &Shared) -> String {
    let taken = RemoteCommand::parse(line).map_err(|unknown| unknown.to_string()).and_then(|command| {
        log::info!("{command}: a command came over the local socket");
        (shared.take)(command)
    });
    taken.map_or_else(|why| format!("error: {why}\n"), |()| "ok\n".to_owned())
}

#[cfg(test)]
mod tests {
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
        assert!(
            ask(&mut connection, b"stop\n").starts_with("error: `stop` is no command; right would be `tri")
        );
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

    #[test]
    fn connections_beyond_the_limit_are_told_so() {
        let bench = bench();
        let mut open: Vec<_> = (0..MOST).map(|_| connect(&bench)).collect();
        for connection in &mut open {
            assert!(ask(connection, b"?\n").starts_with("error: `?`"));
        }
        assert_eq!(ask(&mut connect(&bench), b""), "error: busy: 8 connections are open\n");
        drop(bench);
        assert_eq!(ask(&mut open[0], b"reset\n"), "", "closed by the stop");
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
        assert!(
            told(&file).ends_with("another castgate takes commands here; stop it, or choose another path")
        );
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
}
