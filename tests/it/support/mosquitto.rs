//! A real broker in a scratch folder, on a free port of the loopback, with certificates of its own; and a subscriber.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::Builder;

use crossbeam_channel::{Receiver, unbounded};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use rustix::process::{Pid, Signal, kill_process};

use super::process::{LONG, Lines, Running};

/// Whether programs are there; prints what is skipped if not.
pub(crate) fn present(test: &str, programs: &[(&str, &str)]) -> bool {
    let missing = programs.iter().find(|(program, question)| {
        Command::new(find(program))
            .arg(question)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
    });
    if let Some((program, _)) = missing {
        println!("skipped {test}: {program} is not installed");
    }
    missing.is_none()
}

/// Debian keeps the broker where only root's path looks.
fn find(program: &str) -> PathBuf {
    let sbin = Path::new("/usr/sbin").join(program);
    if sbin.exists() { sbin } else { PathBuf::from(program) }
}

pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    folder: PathBuf,
    process: Running,
}

impl Mosquitto {
    /// A broker with `settings` beside its listener; files are kept in `folder`.
    pub(crate) fn start(folder: &Path, settings: &str) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let config = format!("user root\nlog_dest stderr\nlistener {port} 127.0.0.1\n{settings}\n");
        std::fs::write(folder.join("mosquitto.conf"), config).unwrap();
        let mut broker = Self { port, folder: folder.to_owned(), process: launch(folder) };
        broker.wait_until_it_listens();
        broker
    }

    /// Halts the broker: its connections stay and nothing is answered, as with a machine that hangs.
    pub(crate) fn freeze(&self) {
        kill_process(Pid::from_child(&self.process), Signal::STOP).unwrap();
    }

    /// Ends the broker as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same port.
    pub(crate) fn restart(&mut self) {
        self.process = launch(&self.folder);
        self.wait_until_it_listens();
    }

    fn wait_until_it_listens(&mut self) {
        Lines::of(self.process.stderr.take().unwrap()).until(" running");
    }
}

fn launch(folder: &Path) -> Running {
    let mut command = Command::new(find("mosquitto"));
    Running::start(command.arg("-c").arg(folder.join("mosquitto.conf")).stderr(Stdio::piped()))
}

/// A message as a subscriber gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Got {
    pub(crate) topic: String,
    pub(crate) json: serde_json::Value,
    pub(crate) retain: bool,
    pub(crate) qos: u8,
}

/// Subscribes with a session that the broker keeps, and returns when the broker has agreed.
pub(crate) fn subscribe(mut options: MqttOptions, filter: &str) -> Receiver<Got> {
    options.set_clean_session(false);
    let (client, mut connection) = Client::new(options, 10);
    let (to_test, messages) = unbounded();
    let (agree, agreed) = unbounded();
    client.subscribe(filter, QoS::AtLeastOnce).unwrap();
    let listen = move || {
        let _client = client;
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::SubAck(_))) => drop(agree.send(())),
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    let got = Got {
                        topic: publish.topic,
                        json: serde_json::from_slice(&publish.payload).unwrap(),
                        retain: publish.retain,
                        qos: publish.qos as u8,
                    };
                    if to_test.send(got).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    };
    Builder::new().name("subscriber".to_owned()).spawn(listen).unwrap();
    agreed.recv_timeout(LONG).expect("the broker agrees to the subscription");
    messages
}

/// Certificates made for one test: `ca.crt`, `server.{crt,key}`, `client.{crt,key}`, and `other.crt` of a stranger.
pub(crate) fn make_certificates(folder: &Path) {
    let openssl = |line: &str| {
        let done = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for (name, subject) in [("ca", "test-ca"), ("other", "stranger")] {
        openssl(&format!(
            "req -x509 {key} -days 2 -keyout {name}.key -out {name}.crt -subj /CN={subject} -addext \
             basicConstraints=critical,CA:TRUE"
        ));
    }
    std::fs::write(folder.join("server.ext"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n")
        .unwrap();
    std::fs::write(folder.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    for name in ["server", "client"] {
        openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.crt"
        ));
    }
}
