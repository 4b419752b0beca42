//! Whether the broker's certificate is to be trusted, and in words why not.
//!
//! What a chain of certificates proves is the library's business. Beyond it one thing is trusted: the very certificate that stands in
//! `mqtt.tls.ca_file`, as with a broker that signed its own.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::certificate::{Facts, facts};
use super::files::{CA, bad};
use crate::clock::rfc3339;
use crate::report::ReportError;

/// Shortest RSA key that is taken, in bits.
const SHORTEST_RSA: usize = 2048;

const BROKERS: &str = "the broker's certificate";
const WEAK: &str = "the broker's certificate is signed with SHA-1 or MD5, which can be forged: sign it anew with `openssl -sha256`";

/// Why a certificate is not trusted, in words.
#[derive(Debug)]
pub(super) struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

fn unfit(words: String) -> rustls::Error {
    CertificateError::Other(OtherError(Arc::new(Unfit(words)))).into()
}

/// See the module.
#[derive(Debug)]
pub(super) struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    /// What stands in `mqtt.tls.ca_file`.
    trusted: Vec<CertificateDer<'static>>,
    /// `mqtt.host`.
    host: String,
}

fn second(seconds: u64) -> String {
    rfc3339(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))[..19].to_owned()
}

impl Verifier {
    /// Trusts the certificates of `ca_file`. Of many, those that cannot be used are left out; one at least must be usable.
    pub(super) fn new(
        trusted: Vec<CertificateDer<'static>>,
        ca_file: &Path,
        host: &str,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, ReportError> {
        let mut roots = RootCertStore::empty();
        let problems: Vec<_> =
            trusted.iter().filter_map(|certificate| roots.add(certificate.clone()).err()).collect();
        if let Some(problem) = problems.first().filter(|_| roots.is_empty()) {
            return Err(bad(CA, ca_file, format!("holds no usable certificate: {problem}")));
        }
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| bad(CA, ca_file, error.to_string()))?;
        if !problems.is_empty() {
            log::warn!(
                "mqtt: {CA}: {}: certificates that cannot be used and are left out: {}",
                ca_file.display(),
                problems.len()
            );
        }
        Ok(Self { chains, trusted, host: host.to_owned() })
    }

    /// The certificate is the very one that is trusted: what is left is whether it is in force and of this host.
    fn check_itself(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let Some(facts) = facts(certificate) else { return Err(CertificateError::BadEncoding.into()) };
        let time = second(now.as_secs());
        if time < facts.not_before {
            return Err(unfit(not_yet(&facts.not_before, &time)));
        }
        if time > facts.not_after {
            return Err(unfit(expired(&facts.not_after, &time)));
        }
        if facts.weak_signature {
            return Err(unfit(WEAK.to_owned()));
        }
        if facts.rsa_bits.is_some_and(|bits| bits < SHORTEST_RSA) {
            return Err(unfit(short(BROKERS, facts.rsa_bits)));
        }
        let parsed = ParsedCertificate::try_from(certificate)
            .map_err(|error| self.in_words(error, Some(&facts), now))?;
        // Without names for hosts openssl's common name is what the certificate is for.
        let common_name = facts.common_name.as_ref().filter(|_| facts.names.is_empty());
        if common_name.is_some_and(|common_name| common_name.eq_ignore_ascii_case(&self.host)) {
            return Ok(());
        }
        verify_server_name(&parsed, name).map_err(|error| self.in_words(error, Some(&facts), now))
    }

    fn in_words(&self, error: rustls::Error, facts: Option<&Facts>, now: UnixTime) -> rustls::Error {
        let rustls::Error::InvalidCertificate(problem) = &error else { return error };
        let time = second(now.as_secs());
        let none = Facts::default();
        let facts = facts.unwrap_or(&none);
        unfit(match problem {
            CertificateError::NotValidYetContext { not_before, .. } => {
                not_yet(&second(not_before.as_secs()), &time)
            }
            CertificateError::ExpiredContext { not_after, .. } => expired(&second(not_after.as_secs()), &time),
            _ if facts.version == 1 => format!(
                "the broker's certificate is of version 1, which names no host: sign it anew with a file for `openssl x509 -extfile` that says `subjectAltName={}`",
                self.alternative_name()
            ),
            _ if facts.weak_signature => WEAK.to_owned(),
            _ if facts.rsa_bits.is_some_and(|bits| bits < SHORTEST_RSA) => short(BROKERS, facts.rsa_bits),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                self.another_name(facts)
            }
            CertificateError::UnknownIssuer => format!(
                "{CA} holds neither the broker's certificate nor the one that signed it{}",
                facts.issuer.as_ref().map(|issuer| format!(", `{issuer}`")).unwrap_or_default()
            ),
            CertificateError::BadSignature => match self.shortest_trusted() {
                Some(bits) => short(&format!("a certificate in {CA}"), Some(bits)),
                None => "the signature on the broker's certificate is wrong: another certificate with the name of the one that signed it stands in mqtt.tls.ca_file".to_owned(),
            },
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "the broker's certificate is not for servers: its extendedKeyUsage lacks serverAuth".to_owned()
            }
            problem if problem.to_string().contains("CaUsedAsEndEntity") => format!(
                "the broker's certificate is one that signs others (CA:TRUE); put it into {CA} itself, or make it with `openssl req -addext basicConstraints=critical,CA:FALSE`"
            ),
            _ => format!("{error}; see mqtt.tls"),
        })
    }

    /// The first key in `mqtt.tls.ca_file` that is too short.
    fn shortest_trusted(&self) -> Option<usize> {
        self.trusted.iter().filter_map(|der| facts(der)?.rsa_bits).find(|bits| *bits < SHORTEST_RSA)
    }

    /// As openssl wants it.
    fn alternative_name(&self) -> String {
        let kind = if self.host.parse::<std::net::IpAddr>().is_ok() { "IP" } else { "DNS" };
        format!("{kind}:{}", self.host)
    }

    fn another_name(&self, facts: &Facts) -> String {
        let remedy = format!("`openssl req -addext subjectAltName={}`", self.alternative_name());
        if facts.names.is_empty() {
            let common_name = facts.common_name.as_deref().unwrap_or("nobody");
            return format!(
                "the broker's certificate names no host (only the common name `{common_name}`, which does not count): make it with {remedy}"
            );
        }
        format!(
            "the broker's certificate is for {}, not for {}: set mqtt.host to such a name, or make it with {remedy}",
            facts.names.join(", "),
            self.host
        )
    }
}

fn short(what: &str, bits: Option<usize>) -> String {
    format!(
        "{what} has an RSA key of {} bits, which can be broken: make one of {SHORTEST_RSA}",
        bits.unwrap_or(0)
    )
}

/// Names the board's year only, so that every attempt has the same words.
fn not_yet(not_before: &str, now: &str) -> String {
    format!(
        "the certificate holds from {not_before}Z on, and this board's clock says {}; when the clock is right it connects by itself",
        &now[..4]
    )
}

fn expired(not_after: &str, now: &str) -> String {
    format!("the certificate expired on {not_after}Z, and this board's clock says {}", &now[..4])
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Err(error) = self.chains.verify_server_cert(certificate, intermediates, name, ocsp, now) else {
            return Ok(ServerCertVerified::assertion());
        };
        if self.trusted.iter().any(|trusted| trusted.as_ref() == certificate.as_ref()) {
            return self.check_itself(certificate, name, now).map(|()| ServerCertVerified::assertion());
        }
        Err(self.in_words(error, facts(certificate).as_ref(), now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let checked = self.chains.verify_tls12_signature(message, certificate, signed);
        checked.map_err(|error| self.of_signature(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let checked = self.chains.verify_tls13_signature(message, certificate, signed);
        checked.map_err(|error| self.of_signature(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

impl Verifier {
    /// The broker's key did not sign as it should: the library takes no short RSA keys, and says no more than that.
    fn of_signature(&self, error: rustls::Error, certificate: &CertificateDer<'_>) -> rustls::Error {
        match facts(certificate).and_then(|facts| facts.rsa_bits).filter(|bits| *bits < SHORTEST_RSA) {
            Some(bits) => unfit(short(BROKERS, Some(bits))),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests;
