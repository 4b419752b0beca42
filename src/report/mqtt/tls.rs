//! Encryption of the connection to the broker: certificates and keys from PEM files.
//!
//! The only file that names rustls. The cryptography is ring, named here, so that no process-wide default is needed.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::settings::read;
use crate::config;
use crate::report::ReportError;

/// How to encrypt.
pub(super) type Config = Arc<ClientConfig>;

/// Largest PEM file taken, in bytes: a system's whole set of trusted certificates is a quarter of it.
const LARGEST_PEM: u64 = 1024 * 1024;

const CA: &str = "mqtt.tls.ca_file";
const CERT: &str = "mqtt.tls.cert_file";
const KEY: &str = "mqtt.tls.key_file";

fn wrong(key: &'static str, what: impl Into<String>) -> ReportError {
    ReportError::Setting { key, what: what.into() }
}

fn bad(key: &'static str, path: &Path, what: impl Into<String>) -> ReportError {
    ReportError::File { key, path: path.display().to_string(), what: what.into() }
}

fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ReportError> {
    let pem = read(key, path, LARGEST_PEM)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| bad(key, path, format!("is not PEM: {error}")))?;
    if found.is_empty() {
        return Err(bad(key, path, "holds no `BEGIN CERTIFICATE`; it must be PEM, not DER or PKCS#12"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ReportError> {
    let pem = read(KEY, path, LARGEST_PEM)?;
    let encrypted = pem.windows(9).any(|window| window == b"ENCRYPTED");
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        _ if encrypted => {
            bad(KEY, path, "is encrypted; a key without a passphrase is needed, readable for castgate only")
        }
        rustls_pki_types::pem::Error::NoItemsFound => bad(KEY, path, "holds no `BEGIN PRIVATE KEY`"),
        error => bad(KEY, path, format!("is not PEM: {error}")),
    })
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
    let mut roots = RootCertStore::empty();
    for certificate in certificates(CA, ca_file)? {
        roots
            .add(certificate)
            .map_err(|error| bad(CA, ca_file, format!("holds no usable certificate: {error}")))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("mqtt.tls", error.to_string()))?
        .with_root_certificates(roots);
    let config = match (&section.cert_file, &section.key_file) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert_file), Some(key_file)) => {
            builder.with_client_auth_cert(certificates(CERT, cert_file)?, private_key(key_file)?).map_err(
                |error| bad(KEY, key_file, format!("does not go with {}: {error}", cert_file.display())),
            )?
        }
        (Some(_), None) => return Err(wrong(KEY, "is needed with mqtt.tls.cert_file")),
        (None, Some(_)) => return Err(wrong(CERT, "is needed with mqtt.tls.key_file")),
    };
    Ok(Some(Arc::new(config)))
}

/// Whether an error of the connection came from the encryption, in words.
pub(super) fn explain(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls.to_string());
    }
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    if let Some(found) = inner.and_then(|inner| explain(inner)) {
        return Some(found);
    }
    error.source().and_then(explain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn problem(section: &config::Tls) -> String {
        config(section, "localhost").err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn half_a_section_is_refused() {
        let file = || Some(PathBuf::from("/nowhere"));
        let off = config::Tls { ca_file: file(), ..config::Tls::default() };
        assert_eq!(problem(&off), "mqtt.tls.ca_file: is given although mqtt.tls.enabled is false");
        let on = config::Tls { enabled: true, ..config::Tls::default() };
        assert!(problem(&on).starts_with("mqtt.tls.ca_file: is needed"), "{}", problem(&on));
        let missing = config::Tls { ca_file: file(), ..on };
        assert!(
            problem(&missing).starts_with("mqtt.tls.ca_file: \"/nowhere\": No such file"),
            "{}",
            problem(&missing)
        );
    }

    #[test]
    fn files_that_are_no_certificates_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let section = config::Tls { enabled: true, ca_file: Some(path.clone()), ..config::Tls::default() };
        let framed = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        for (content, what) in [
            (String::new(), "holds no `BEGIN CERTIFICATE`"),
            (framed("????"), "is not PEM"),
            (framed("AAAA"), "holds no usable certificate"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned(), "is not PEM"),
        ] {
            std::fs::write(&path, content).unwrap();
            assert!(problem(&section).contains(what), "{}", problem(&section));
        }
        std::fs::write(
            &path,
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        )
        .unwrap();
        assert!(private_key(&path).unwrap_err().to_string().contains("is encrypted"));
    }
}
