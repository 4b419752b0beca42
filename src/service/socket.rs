//! The local socket on which commands are taken: a line in, a line back.
//!
//! ```text
//! > reset
//! < ok
//! > stop
//! < error: `stop` is no command; right would be `trigger` or `reset`
//! ```
//! Threads `commands`: one that accepts, and one for each connection, of which there are at most [`MOST`]. There is always room for one
//! more: it takes the place of the one that behaves worst. A socket file that a dead process left behind is replaced; one on which
//! somebody listens is not. Must not know what a command does.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::clock::{Clock, Time};
use crate::limit::Limiter;
use crate::remote::{LONGEST, RemoteCommand, Take};

/// Most connections at a time.
pub const MOST: usize = 8;
/// A connection that sends no command for so long is closed.
pub const IDLE: Duration = Duration::from_secs(30);
/// One that has not sent any yet, or whose last line was none, has so long for the next.
pub const FIRST_WITHIN: Duration = Duration::from_secs(5);
/// So many lines in a row that are no commands end a connection.
pub const WRONG: u32 = 3;
/// Time that every connection has before a newer one may take its place: enough to send a command and hear the answer.
const GRACE: Duration = Duration::from_millis(100);
/// Lines that a connection may send at once, and the time in which one more may follow; faster ones wait.
const LINES: u32 = 16;
const LINE_EVERY: Duration = Duration::from_millis(20);
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
    open: Mutex<Vec<Arc<Connection>>>,
}

/// A connection, and how it behaves.
struct Connection {
    stream: UnixStream,
    since: Time,
    /// Lines that were no commands, since the last one that was.
    wrong: AtomicU32,
    /// When it last sent a command, in nanoseconds; 0 before.
    commanded: AtomicU64,
}

impl Connection {
    /// The greater, the sooner it makes room: who sends junk before who has sent nothing yet, and the idlest of the others.
    fn nuisance(&self, now: Time) -> (u32, bool, Duration) {
        let commanded = Time::from_nanos(self.commanded.load(Ordering::Relaxed));
        (self.wrong.load(Ordering::Relaxed), commanded == Time::ZERO, now - commanded.max(self.since))
    }
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
        self.shared.open().iter().for_each(|connection| connection.close());
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
            Ok(stream) => stream,
            Err(error) => {
                // Most likely too many open files: another attempt at once would fail as well.
                log::warn!("a connection to the command socket could not be accepted: {error}");
                shared.clock.sleep_until(shared.clock.now() + ANSWER_WITHIN);
                continue;
            }
        };
        let _ = stream.set_write_timeout(Some(ANSWER_WITHIN));
        shared.make_room();
        let connection = Arc::new(Connection {
            stream,
            since: shared.clock.now(),
            wrong: AtomicU32::new(0),
            commanded: AtomicU64::new(0),
        });
        shared.open().push(connection.clone());
        let (theirs, mine) = (shared.clone(), connection.clone());
        let converse = move || {
            converse(&mine, &theirs);
            theirs.forget(&mine);
        };
        if let Err(error) = Builder::new().name("commands".to_owned()).spawn(converse) {
            log::warn!("no thread for a connection to the command socket: {error}");
            shared.forget(&connection);
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, connection: &Arc<Connection>) {
        self.open().retain(|other| !Arc::ptr_eq(other, connection));
    }

    /// Has the worst connection leave where there are too many. Waits while even that one has had no time to say anything.
    fn make_room(&self) {
        loop {
            let now = self.clock.now();
            let mut open = self.open();
            let worst = (0..open.len()).max_by_key(|at| open[*at].nuisance(now));
            let Some(worst) = worst.filter(|_| open.len() >= MOST) else { return };
            let until = open[worst].since + GRACE;
            let is_junk = open[worst].wrong.load(Ordering::Relaxed) > 0;
            if is_junk || until <= now {
                let left = open.swap_remove(worst);
                drop(open);
                left.close();
                return tell_closed("another one needs its place");
            }
            drop(open);
            if self.stopping.load(Ordering::Relaxed) {
                return;
            }
            self.clock.sleep_until(until);
        }
    }
}

/// Says why a connection is closed from this side.
fn tell_closed(why: &str) {
    log::warn!("a connection to the command socket is closed: {why}");
}

impl Connection {
    fn close(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    fn answer(&self, text: &str) -> bool {
        (&self.stream).write_all(text.as_bytes()).is_ok()
    }
}

/// Answers line after line, until the other side leaves, is idle, or sends what is no command.
fn converse(connection: &Connection, shared: &Shared) {
    let (mut buffer, mut filled) = ([0; LONGEST], 0);
    let mut pace = Limiter::new(LINES, LINE_EVERY);
    let mut deadline = shared.clock.now() + FIRST_WITHIN;
    loop {
        while let Some(end) = buffer[..filled].iter().position(|byte| *byte == b'\n') {
            // Whoever sends faster than that waits for its answers, and nobody else does.
            while pace.allow(shared.clock.now()).is_none() {
                shared.clock.sleep_until(shared.clock.now() + LINE_EVERY);
            }
            let (answer, is_command) = answer(&String::from_utf8_lossy(&buffer[..end]), shared);
            let now = shared.clock.now();
            let wrong = match is_command {
                true => {
                    connection.commanded.store(now.as_nanos(), Ordering::Relaxed);
                    connection.wrong.store(0, Ordering::Relaxed);
                    0
                }
                false => connection.wrong.fetch_add(1, Ordering::Relaxed) + 1,
            };
            if !connection.answer(&answer) {
                return;
            }
            if wrong >= WRONG {
                tell_closed("it sends what is no command");
                return connection.close();
            }
            buffer.copy_within(end + 1..filled, 0);
            filled -= end + 1;
            deadline = now + if is_command { IDLE } else { FIRST_WITHIN };
        }
        if filled == buffer.len() {
            connection.answer(&format!("error: a line has at most {LONGEST} bytes\n"));
            tell_closed("it sends what is no command");
            return connection.close();
        }
        match read(&connection.stream, &mut buffer[filled..], deadline, shared) {
            Some(read) => filled += read,
            None => return connection.close(),
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

/// The answer to a line, and whether that was a command.
fn answer(line: &str, shared: &Shared) -> (String, bool) {
    let command = match RemoteCommand::parse(line) {
        Ok(command) => command,
        Err(unknown) => return (format!("error: {unknown}\n"), false),
    };
    log::info!("{command}: a command came over the local socket");
    let taken = (shared.take)(command);
    (taken.map_or_else(|why| format!("error: {why}\n"), |()| "ok\n".to_owned()), true)
}

#[cfg(test)]
mod tests;
