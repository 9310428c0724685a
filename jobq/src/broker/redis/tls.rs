//! TLS: whose certificates are trusted, and what is wrong with one that is not.
//!
//! The certificates are read once, when a client connects; connections that are opened later, or
//! again, use what was read.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use redis::RedisError;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::config::RedisConfig;
use super::fault::OpenError;
use crate::error::{ConnectError, quoted};

/// The largest CA file that is read: the authorities of a whole system are a quarter of a MiB.
const LARGEST_CA_FILE: u64 = 16 << 20;

/// How to make a connection secure.
pub(super) struct Tls {
    connector: TlsConnector,
    server: ServerName<'static>,
    /// The host as errors quote it.
    host: String,
    /// Whose authorities are trusted, for errors.
    trusted: String,
}

impl Tls {
    /// Reads the CA file of the configuration, or else the authorities of the system.
    pub(super) async fn load(config: &RedisConfig) -> Result<Self, ConnectError> {
        let host = quoted(config.host());
        let server = ServerName::try_from(config.host().to_owned());
        let server = server.map_err(|_| ConnectError::InvalidUrl {
            reason: format!("{host} is no name that a certificate could be for"),
        })?;
        let path = config.ca_file().map(Path::to_owned);
        let trusted = match &path {
            Some(path) => format!("those in {}", quoted(&path.to_string_lossy())),
            None => "those this system trusts; give its authority's certificate as ca_file \
                     (JOBQ_CA_FILE)"
                .to_owned(),
        };
        let read = tokio::task::spawn_blocking(move || match path {
            Some(path) => authorities_in(&path),
            None => authorities_of_the_system(),
        });
        let roots = read.await.expect("reading certificates does not panic")?;
        Ok(Self {
            connector: connector(roots)?,
            server,
            host,
            trusted,
        })
    }

    /// Shakes hands over an open connection.
    pub(super) async fn secure(
        &self,
        tcp: TcpStream,
        deadline: Instant,
    ) -> Result<TlsStream<TcpStream>, OpenError> {
        let handshake = self.connector.connect(self.server.clone(), tcp);
        let secured = timeout_at(deadline, handshake).await;
        let secured = secured.unwrap_or_else(|_| Err(silent()));
        secured.map_err(|error| self.judge(error.into()))
    }

    /// Tells a peer that is not trusted from one that is not there.
    pub(super) fn judge(&self, error: RedisError) -> OpenError {
        match tls_error(&error).map(|cause| self.reason(cause)) {
            Some(reason) => OpenError::Tls {
                reason,
                source: error,
            },
            None => error.into(),
        }
    }

    fn reason(&self, error: &rustls::Error) -> String {
        use rustls::{AlertDescription as Alert, Error as Failure};
        match error {
            Failure::InvalidCertificate(error) => self.distrust(error),
            Failure::InvalidMessage(_) => {
                "it does not answer in TLS; for plain text the URL begins with redis://".to_owned()
            }
            Failure::AlertReceived(Alert::CertificateRequired) => {
                "it wants a certificate of its clients, which jobq does not have; set \
                 tls-auth-clients of the server to no or optional"
                    .to_owned()
            }
            Failure::AlertReceived(alert) => format!("it refused the handshake ({alert:?})"),
            _ => "it does not speak TLS as expected".to_owned(),
        }
    }

    fn distrust(&self, error: &CertificateError) -> String {
        use CertificateError as Wrong;
        let Self { host, trusted, .. } = self;
        match error {
            // The latter where an authority that is trusted has the name of the one that signed.
            Wrong::UnknownIssuer | Wrong::BadSignature => {
                format!("its certificate is signed by none of {trusted}")
            }
            Wrong::Expired | Wrong::ExpiredContext { .. } => {
                "its certificate has expired; renew it, unless this machine's clock is wrong"
                    .to_owned()
            }
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                "its certificate is not valid yet; is this machine's clock right?".to_owned()
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => format!(
                "its certificate is not for {host}; use a host that it names, or have one made \
                 for this host"
            ),
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                "its certificate is that of an authority; a server needs one of its own, signed \
                 by it"
                    .to_owned()
            }
            _ => "its certificate is not valid".to_owned(),
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// The provider that the process has chosen, or else ours: chosen for this connector alone, so that
/// neither stands in the other's way.
fn connector(roots: RootCertStore) -> Result<TlsConnector, ConnectError> {
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(ring::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ConnectError::InvalidSetting {
            field: "the process' default crypto provider",
            value: "without cipher suites".to_owned(),
            expected: "one for TLS 1.2 or 1.3",
        })?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // A session that is resumed is not checked again, and connections are few.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config).into())
}

fn authorities_in(path: &Path) -> Result<RootCertStore, ConnectError> {
    let wrong = |reason: String| ConnectError::InvalidCaFile {
        path: quoted(&path.to_string_lossy()),
        reason,
    };
    let pem = read(path).map_err(|error| wrong(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for (certificate, number) in CertificateDer::pem_slice_iter(&pem).zip(1..) {
        let unreadable = || wrong(format!("certificate {number} in it is damaged"));
        let certificate = certificate.map_err(|_| unreadable())?;
        roots.add(certificate).map_err(|_| unreadable())?;
    }
    match roots.is_empty() {
        true => Err(wrong("there is no certificate in it".to_owned())),
        false => Ok(roots),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe that nobody writes into would be waited for, for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(LARGEST_CA_FILE);
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn authorities_of_the_system() -> Result<RootCertStore, ConnectError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        // Stores hold odd files, and the others suffice.
        tracing::debug!(%error, "cannot read a certificate of the system");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    match roots.is_empty() {
        true => Err(ConnectError::NoAuthorities {
            // As text, for it spells out its own cause.
            source: found.errors.first().map(|error| error.to_string().into()),
        }),
        false => Ok(roots),
    }
}

/// Redis on a plain port waits for the end of a line, which a TLS client does not send.
fn silent() -> io::Error {
    let text = "no answer to the handshake of TLS; if the server speaks plain text, the URL must \
                begin with redis://";
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// What the TLS library said, inside what the client library made of it, which shares its cause.
fn tls_error(error: &RedisError) -> Option<&rustls::Error> {
    let shared: &Arc<dyn Error + Send + Sync> = error.source()?.downcast_ref()?;
    let cause: &io::Error = shared.downcast_ref()?;
    cause.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_chosen_for_the_whole_process() {
        assert!(connector(RootCertStore::empty()).is_ok());
        assert!(CryptoProvider::get_default().is_none());
    }
}
