//! The bytes to and from the broker: a socket, encrypted or not, that never makes its thread wait unasked.
//!
//! Must not know MQTT.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::ended::of_attempt;
use super::settings::Settings;
use super::talk::ANSWER;
use super::tls::Encryption;
use super::trouble::Trouble;

/// Most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;

/// See the module.
pub(super) struct Stream {
    socket: TcpStream,
    encryption: Option<Encryption>,
}

/// Why [`Stream::wait`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Woken {
    /// Something may be read.
    pub(super) readable: bool,
    /// The other end of the waker wrote, or is gone.
    pub(super) called: bool,
}

impl Stream {
    /// Connects. Waits for the name server, and for each address up to [`ANSWER`]; gives up between them when `still_wanted` says no.
    pub(super) fn connect(settings: &Settings, still_wanted: impl Fn() -> bool) -> Result<Self, Trouble> {
        let (host, port) = (settings.host.as_str(), settings.port);
        let addresses: Vec<SocketAddr> = match (host, port).to_socket_addrs() {
            Ok(addresses) => addresses.take(MOST_ADDRESSES).collect(),
            Err(error) => {
                return Err(Trouble::Unreachable(format!(
                    "the name `{host}` cannot be resolved ({error}); see mqtt.host"
                )));
            }
        };
        let mut last = format!("the name `{host}` has no address; see mqtt.host");
        for address in addresses.iter().take_while(|_| still_wanted()) {
            let ready = TcpStream::connect_timeout(address, ANSWER).and_then(|socket| {
                socket.set_nodelay(true)?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            });
            match ready {
                Ok(socket) => {
                    let encryption = settings.tls.as_ref().map(|tls| Encryption::new(tls, host));
                    return Ok(Self { socket, encryption: encryption.transpose()? });
                }
                Err(error) => last = of_attempt(&error, port),
            }
        }
        Err(Trouble::Unreachable(last))
    }

    /// Reads what is there: 0 at the end, an error of the kind `WouldBlock` when nothing is there now.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.encryption {
            Some(encryption) => encryption.read(&mut self.socket, buffer),
            None => self.socket.read(buffer),
        }
    }

    /// Hands over as much of `bytes` as is taken now; also what was handed over before and waits inside the encryption.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = match &mut self.encryption {
            Some(encryption) => encryption.write(&mut self.socket, bytes),
            None if bytes.is_empty() => Ok(0),
            None => self.socket.write(bytes),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        }
    }

    /// Whether the encryption has something to hand over.
    pub(super) fn has_more(&self) -> bool {
        self.encryption.as_ref().is_some_and(Encryption::has_more)
    }

    /// Whether the encryption is not agreed on yet.
    pub(super) fn is_agreeing(&self) -> bool {
        self.encryption.as_ref().is_some_and(Encryption::is_agreeing)
    }

    /// Waits until something may be read (if `read`) or written (if `write`), until the waker is called, or for `longest`.
    pub(super) fn wait(
        &mut self,
        waker: &UnixStream,
        (read, write): (bool, bool),
        longest: Duration,
    ) -> io::Result<Woken> {
        // What came together with what was read is inside the encryption already, and the socket knows nothing of it.
        let inside = read && self.encryption.as_mut().is_some_and(Encryption::has_plaintext);
        let longest = if inside { Duration::ZERO } else { longest };
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, read);
        wanted.set(PollFlags::OUT, write);
        let mut both =
            [PollFd::from_borrowed_fd(self.socket.as_fd(), wanted), PollFd::new(waker, PollFlags::IN)];
        let longest = Timespec {
            tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: longest.subsec_nanos().into(),
        };
        match poll(&mut both, Some(&longest)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        // A connection that broke is read from, which says why.
        let broken = PollFlags::ERR | PollFlags::HUP;
        let [socket, waker] = both.map(|one| one.revents());
        Ok(Woken { readable: inside || socket.intersects(PollFlags::IN | broken), called: !waker.is_empty() })
    }

    /// Ends this side of the connection in order.
    pub(super) fn close(mut self) {
        if let Some(encryption) = &mut self.encryption {
            encryption.close(&mut self.socket);
        }
        // What is gone already need not be closed.
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}
