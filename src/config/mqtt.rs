//! The `mqtt` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// Where a secret goes, for who writes `${PASSWORD}` into a file.
pub const SECRETS: &str = "a password goes into the file that `mqtt.password_file` names";

/// Reports over MQTT. A broker that is absent, slow or refuses never delays a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// Whether to report.
    pub enabled: bool,
    /// Host name or address of the broker.
    pub host: String,
    /// Port of the broker.
    pub port: u16,
    /// Client id, the same at every start; without it `castgate-` and the line's name.
    #[schemars(example = &"castgate-hall2")]
    pub client_id: Option<String>,
    /// User name.
    #[schemars(example = &"castgate")]
    pub user: Option<String>,
    /// File that holds the password; a line end at its end is not part of it.
    #[schemars(example = &"/etc/castgate/mqtt-password")]
    pub password_file: Option<PathBuf>,
    /// First part of every topic: `PREFIX/LINE/part`.
    pub prefix: String,
    /// Time between signs of life: 1s to 18h. Also the longest wait for an acknowledgement, up to 10s.
    pub keep_alive: Span,
    /// Most messages kept while the broker is away: 1 to 100000. When full, the oldest part message is dropped and counted.
    pub queue: u32,
    /// Encryption.
    pub tls: Tls,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            enabled: false,
            host: "localhost".to_owned(),
            port: 1883,
            client_id: None,
            user: None,
            password_file: None,
            prefix: "castgate".to_owned(),
            keep_alive: Span::s(15.0),
            queue: 1000,
            tls: Tls::default(),
        }
    }
}

/// Encryption of the connection to the broker.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Whether to encrypt; usually with port 8883.
    pub enabled: bool,
    /// PEM file with the certificates that are trusted to sign the broker's, or with the broker's own. Needed with `enabled`.
    #[schemars(example = &"/etc/ssl/certs/ca-certificates.crt")]
    pub ca_file: Option<PathBuf>,
    /// PEM file with this client's certificate, if the broker asks for one.
    #[schemars(example = &"/etc/castgate/client.crt")]
    pub cert_file: Option<PathBuf>,
    /// PEM file with the key of `cert_file`.
    #[schemars(example = &"/etc/castgate/client.key")]
    pub key_file: Option<PathBuf>,
}
