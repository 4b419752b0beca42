//! Certificates and keys from files: PEM as openssl writes it, and what else is found there in words.

use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::report::ReportError;
use crate::report::mqtt::settings::read;

/// Largest PEM file taken, in bytes: a system's whole set of trusted certificates is a quarter of it.
const LARGEST_PEM: u64 = 1024 * 1024;

pub(super) const CA: &str = "mqtt.tls.ca_file";
pub(super) const CERT: &str = "mqtt.tls.cert_file";
pub(super) const KEY: &str = "mqtt.tls.key_file";

pub(super) fn bad(key: &'static str, path: &Path, what: impl Into<String>) -> ReportError {
    ReportError::File { key, path: path.display().to_string(), what: what.into() }
}

fn holds(pem: &[u8], word: &str) -> bool {
    pem.windows(word.len()).any(|window| window == word.as_bytes())
}

/// What a file without what was looked for is instead, and what to do.
fn instead(pem: &[u8], wanted: &str, path: &Path) -> String {
    let path = path.display();
    if pem.iter().all(u8::is_ascii_whitespace) {
        return "is empty".to_owned();
    }
    // A sequence with a length of two bytes: DER, of a certificate, a key, or PKCS#12.
    if pem.starts_with(&[0x30, 0x82]) || pem.starts_with(&[0x30, 0x81]) {
        return format!(
            "is DER, not PEM; `openssl x509 -inform der -in {path}` (or `openssl pkey -inform der`, or `openssl pkcs12` for a .p12 file) makes PEM of it"
        );
    }
    for (label, what) in [
        ("BEGIN CERTIFICATE REQUEST", "a request to be signed"),
        (
            "BEGIN TRUSTED CERTIFICATE",
            "a certificate in OpenSSL's own form; `openssl x509 -in FILE` without -trustout makes a usual one",
        ),
        ("PRIVATE KEY", "a private key"),
        ("BEGIN PUBLIC KEY", "a public key"),
        ("BEGIN CERTIFICATE", "a certificate"),
    ] {
        if holds(pem, label) {
            return format!("holds no `BEGIN {wanted}` but {what}");
        }
    }
    format!("holds no `BEGIN {wanted}`; it must be PEM, not DER or PKCS#12")
}

/// The certificates of a file, at least one.
pub(super) fn certificates(
    key: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, ReportError> {
    let pem = read(key, path, LARGEST_PEM)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| bad(key, path, format!("is not PEM: {error}")))?;
    if found.is_empty() {
        return Err(bad(key, path, instead(&pem, "CERTIFICATE", path)));
    }
    Ok(found)
}

/// The private key of a file.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ReportError> {
    let pem = read(KEY, path, LARGEST_PEM)?;
    let encrypted = holds(&pem, "ENCRYPTED");
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        _ if encrypted => {
            bad(KEY, path, "is encrypted; a key without a passphrase is needed, readable for castgate only")
        }
        rustls_pki_types::pem::Error::NoItemsFound => bad(KEY, path, instead(&pem, "PRIVATE KEY", path)),
        error => bad(KEY, path, format!("is not PEM: {error}")),
    })
}
