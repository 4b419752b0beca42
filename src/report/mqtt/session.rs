//! One connection to the broker, from the attempt to its end, on a thread of its own (`mqtt-io`).
//!
//! Each session begins with a clean one at the broker: the outbox sends again what was not acknowledged. Must not know what messages say,
//! nor when to connect again.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use super::ended::of_end;
use super::settings::Settings;
use super::stream::Stream;
use super::talk::{ANSWER, News, Request, Tag, Talk};
use super::trouble::Trouble;
use crate::clock::{Clock as _, SystemClock};

/// Most messages that are sent and not acknowledged.
pub(super) const WINDOW: usize = 64;
/// Room for requests: the window, one status, one subscription and the goodbye, so that none ever waits.
const REQUESTS: usize = WINDOW + 8;
/// News between the threads; when it is full, the broker waits.
const NEWS: usize = 64;
/// Most bytes that are taken in at once.
const PIECE: usize = 16 * 1024;

/// What a session tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happening {
    /// What the broker let this side know.
    News(News),
    /// The session is over, and its thread with it.
    Over(Trouble),
}

/// See the module. Dropping it says goodbye and ends the connection, without waiting for that.
pub(super) struct Session {
    events: Receiver<Happening>,
    requests: Sender<Request>,
    /// Wakes the thread.
    waker: UnixStream,
}

impl Session {
    /// Begins to connect. `last_will` goes to the status topic when this side is gone without a goodbye.
    pub(super) fn start(settings: &Settings, last_will: String) -> io::Result<Self> {
        let (waker, called) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        called.set_nonblocking(true)?;
        let (to_owner, events) = bounded(NEWS);
        let (requests, asked) = bounded(REQUESTS);
        let line = Line { settings: settings.clone(), asked, called, events: to_owner };
        thread::Builder::new().name("mqtt-io".to_owned()).spawn(move || {
            let trouble = line.run(&last_will);
            // An owner that has left does not want to know.
            let _ = line.events.send(Happening::Over(trouble));
        })?;
        Ok(Self { events, requests, waker })
    }

    /// Where the thread's news arrives. The end of the channel means that the thread is gone.
    pub(super) fn events(&self) -> &Receiver<Happening> {
        &self.events
    }

    /// Asks the thread to say something; never waits. What finds no room is never acknowledged.
    pub(super) fn ask(&self, request: Request) {
        if self.requests.try_send(request).is_ok() {
            // A waker that is full has been called.
            let _ = (&self.waker).write(&[0]);
        }
    }

    /// Hands over one message with quality of service 1; never waits.
    pub(super) fn send(&self, tag: Tag, topic: &str, retain: bool, payload: String) {
        self.ask(Request::Publish { tag, topic: topic.to_owned(), retain, payload });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.ask(Request::Goodbye);
    }
}

/// The thread's side.
struct Line {
    settings: Settings,
    asked: Receiver<Request>,
    called: UnixStream,
    events: Sender<Happening>,
}

impl Line {
    /// Runs one connection to its end, which it tells. An owner that left is noticed at the next step.
    fn run(&self, last_will: &str) -> Trouble {
        let still_wanted = || !matches!(self.asked.try_recv(), Err(TryRecvError::Disconnected));
        let mut stream = match Stream::connect(&self.settings, still_wanted) {
            Ok(stream) => stream,
            Err(trouble) => return trouble,
        };
        let talk = Talk::new(&self.settings, last_will, SystemClock.now());
        let end = self.converse(&mut stream, talk);
        stream.close();
        end
    }

    fn converse(&self, stream: &mut Stream, mut talk: Talk) -> Trouble {
        let mut buffer = vec![0; PIECE];
        let (mut accepted, mut owner_gone) = (false, false);
        loop {
            while !owner_gone {
                match self.asked.try_recv() {
                    Ok(request) => talk.ask(request, SystemClock.now()),
                    Err(TryRecvError::Empty) => break,
                    // Its goodbye is on its way, and is tried once.
                    Err(TryRecvError::Disconnected) => owner_gone = true,
                }
            }
            loop {
                match stream.write(talk.out()) {
                    Ok(0) => break,
                    Ok(count) => talk.taken(count),
                    Err(error) => return self.end(stream, &mut talk, Some(error), accepted),
                }
            }
            if owner_gone || talk.is_over() && !stream.has_more() {
                return Trouble::Closed;
            }
            let write = !talk.out().is_empty() || stream.has_more();
            let longest = talk.next_due() - SystemClock.now();
            let woken = match stream.wait(&self.called, (talk.has_room(), write), longest) {
                Ok(woken) => woken,
                Err(error) => return of_end(Some(&error), accepted, self.settings.port),
            };
            if woken.called {
                // How often it was called does not matter.
                let _ = (&self.called).read(&mut buffer);
            }
            if woken.readable {
                match stream.read(&mut buffer) {
                    Ok(0) => return self.end(stream, &mut talk, None, accepted),
                    Ok(count) => {
                        if let Err(trouble) = self.hear(&mut talk, &buffer[..count], &mut accepted) {
                            return trouble;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return of_end(Some(&error), accepted, self.settings.port),
                }
            }
            if let Err(trouble) = talk.on_time(SystemClock.now()) {
                return match stream.is_agreeing() {
                    true => Trouble::Unreachable(format!(
                        "no answer within {} s; does port {} speak TLS?",
                        ANSWER.as_secs(),
                        self.settings.port
                    )),
                    false => trouble,
                };
            }
        }
    }

    fn hear(&self, talk: &mut Talk, bytes: &[u8], accepted: &mut bool) -> Result<(), Trouble> {
        let mut news = Vec::new();
        let heard = talk.hear(bytes, SystemClock.now(), &mut news);
        for news in news {
            *accepted |= news == News::Connected;
            // Waits while the owner is busy, and with it the broker does.
            if self.events.send(Happening::News(news)).is_err() {
                return Err(Trouble::Closed);
            }
        }
        heard
    }

    /// The end of the connection: what the broker had said before counts.
    fn end(
        &self,
        stream: &mut Stream,
        talk: &mut Talk,
        error: Option<io::Error>,
        mut accepted: bool,
    ) -> Trouble {
        let mut buffer = vec![0; PIECE];
        // No more than fits in the kernel's buffers can be there.
        for _ in 0..1024 {
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => {
                    if let Err(trouble) = self.hear(talk, &buffer[..count], &mut accepted) {
                        return trouble;
                    }
                }
                _ => break,
            }
        }
        of_end(error.as_ref(), accepted, self.settings.port)
    }
}
