//! A broker for the demonstration line to lose: it accepts connections on a local port, keeps nothing, and can be stopped.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

/// "Accepted, no session kept": CONNACK of MQTT 3.1.1, section 3.2.
const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];
/// PINGRESP.
const ANSWERED: [u8; 2] = [0xd0, 0];

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    connection: Option<TcpStream>,
}

/// See the module. Stopped when dropped.
#[derive(Debug)]
pub(super) struct StandIn {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    /// Starts it on a free local port.
    ///
    /// # Errors
    /// When the system gives no port or no thread.
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        Builder::new().name("broker".to_owned()).spawn(move || serve(&listener, &shared))?;
        Ok(Self { address, state })
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends every connection and takes no more.
    pub(super) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stopped = true;
        if let Some(connection) = state.connection.take() {
            // One that the other side has closed needs no closing.
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the thread that waits for the next connection; where nobody waits any more there is nothing to wake.
        let _ = TcpStream::connect(self.address);
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(listener: &TcpListener, state: &Mutex<State>) {
    for connection in listener.incoming() {
        let Ok(mut connection) = connection else { return };
        {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.stopped {
                return;
            }
            state.connection = connection.try_clone().ok();
        }
        // What it is told does not matter; the end of the connection does.
        while packet(&mut connection).and_then(|packet| answer(&mut connection, &packet)).is_ok() {}
    }
}

/// The first byte of a packet, and its body.
fn packet(connection: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    connection.read_exact(&mut byte)?;
    let first = byte[0];
    let mut length = 0;
    for shift in [0, 7, 14] {
        connection.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok((first, body))
}

/// Accepts the client and acknowledges what it publishes.
fn answer(connection: &mut TcpStream, (first, body): &(u8, Vec<u8>)) -> io::Result<()> {
    match first >> 4 {
        1 => connection.write_all(&ACCEPTED),
        3 => {
            let topic = body.first_chunk().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
            match body.get(2 + topic..4 + topic) {
                Some(number) => connection.write_all(&[&[0x40, 2], number].concat()),
                None => Ok(()),
            }
        }
        12 => connection.write_all(&ANSWERED),
        _ => Ok(()),
    }
}
