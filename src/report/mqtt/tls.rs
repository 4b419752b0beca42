//! Encryption of the connection to the broker: certificates and keys from PEM files, and the encrypted bytes.
//!
//! This file and those below it are the only ones that name rustls. The cryptography is ring, named here, so that no process-wide
//! default is needed.

mod certificate;
mod files;
mod verify;

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{AlertDescription, CertificateError, ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;

use self::files::{CA, CERT, KEY, certificates, private_key};
use self::verify::{Unfit, Verifier};
use super::trouble::{Trouble, find};
use crate::config;
use crate::report::ReportError;

/// How to encrypt.
pub(super) type Config = Arc<ClientConfig>;

fn wrong(key: &'static str, what: impl Into<String>) -> ReportError {
    ReportError::Setting { key, what: what.into() }
}

/// `None` when the section wants no encryption.
pub(super) fn config(section: &config::Tls, host: &str) -> Result<Option<Config>, ReportError> {
    let given = [(CA, &section.ca_file), (CERT, &section.cert_file), (KEY, &section.key_file)];
    if !section.enabled {
        return match given.iter().find(|(_, path)| path.is_some()) {
            Some((key, _)) => Err(wrong(key, "is given although mqtt.tls.enabled is false")),
            None => Ok(None),
        };
    }
    if ServerName::try_from(host).is_err() {
        return Err(wrong("mqtt.host", format!("`{host}` is not a name that a certificate can be for")));
    }
    let Some(ca_file) = &section.ca_file else {
        return Err(wrong(CA, "is needed with mqtt.tls.enabled: the certificate that signed the broker's"));
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(certificates(CA, ca_file)?, ca_file, host, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("mqtt.tls", error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match (&section.cert_file, &section.key_file) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert_file), Some(key_file)) => builder
            .with_client_auth_cert(certificates(CERT, cert_file)?, private_key(key_file)?)
            .map_err(|error| {
                files::bad(KEY, key_file, format!("does not go with {}: {error}", cert_file.display()))
            })?,
        (Some(_), None) => return Err(wrong(KEY, "is needed with mqtt.tls.cert_file")),
        (None, Some(_)) => return Err(wrong(CERT, "is needed with mqtt.tls.key_file")),
    };
    Ok(Some(Arc::new(config)))
}

/// One encrypted connection.
pub(super) struct Encryption(ClientConnection);

impl Encryption {
    /// For a connection to `host`.
    pub(super) fn new(config: &Config, host: &str) -> Result<Self, Trouble> {
        let begun =
            ServerName::try_from(host.to_owned()).map_err(|error| error.to_string()).and_then(|name| {
                ClientConnection::new(Arc::clone(config), name).map_err(|error| error.to_string())
            });
        begun.map(Self).map_err(|error| Trouble::Unreachable(format!("TLS failed: {error}")))
    }

    /// As [`std::io::Read::read`] of a socket that does not wait.
    pub(super) fn read(&mut self, socket: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            if self.0.read_tls(socket)? == 0 {
                return Ok(0);
            }
            if let Err(error) = self.0.process_new_packets() {
                // The other side is told why; whether it hears it is its own affair.
                let _ = self.0.write_tls(socket);
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
    }

    /// As [`std::io::Write::write`] of a socket that does not wait. Hands over what waits inside, too.
    pub(super) fn write(&mut self, socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        let count = self.0.writer().write(bytes)?;
        while self.0.wants_write() {
            match self.0.write_tls(socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// Whether something waits to be handed over.
    pub(super) fn has_more(&self) -> bool {
        self.0.wants_write()
    }

    /// Whether something that came has not been read.
    pub(super) fn has_plaintext(&mut self) -> bool {
        self.0.process_new_packets().is_ok_and(|state| state.plaintext_bytes_to_read() > 0)
    }

    /// Whether the handshake is under way.
    pub(super) fn is_agreeing(&self) -> bool {
        self.0.is_handshaking()
    }

    /// Tells the other side that nothing more comes.
    pub(super) fn close(&mut self, socket: &mut TcpStream) {
        self.0.send_close_notify();
        // What is gone already need not be told.
        let _ = self.0.write_tls(socket);
    }
}

/// Whether an error of the connection came from the encryption, in words.
pub(super) fn explain(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let error = find::<rustls::Error>(error)?;
    Some(match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => match find::<Unfit>(&*other.0) {
            Some(unfit) => unfit.to_string(),
            None => error.to_string(),
        },
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::InvalidMessage(_) => {
            format!(
                "the broker does not speak TLS on this port ({error}); see mqtt.port and mqtt.tls.enabled"
            )
        }
        rustls::Error::PeerIncompatible(_) => format!("{error}; TLS 1.2 or 1.3 is needed"),
        _ => format!("{error}; see mqtt.tls"),
    })
}

/// What the broker does not like.
fn of_alert(alert: AlertDescription) -> String {
    let certificate = "this client's certificate, mqtt.tls.cert_file";
    match alert {
        AlertDescription::CertificateRequired => {
            "the broker wants a certificate of this client; see mqtt.tls.cert_file and mqtt.tls.key_file".to_owned()
        }
        AlertDescription::UnknownCA => {
            format!("the broker does not know who signed {certificate}")
        }
        AlertDescription::CertificateExpired => format!("the broker takes {certificate}, for expired"),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => format!("the broker does not accept {certificate} ({alert:?})"),
        AlertDescription::HandshakeFailure => {
            "the broker refuses the handshake: it may want a certificate of this client (mqtt.tls.cert_file), or older ciphers"
                .to_owned()
        }
        AlertDescription::ProtocolVersion => "the broker wants another version than TLS 1.2 or 1.3".to_owned(),
        alert => format!("the broker ends it ({alert:?}); see mqtt.tls"),
    }
}

#[cfg(test)]
mod tests;
