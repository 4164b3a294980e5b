//! TLS to the server, as libpq's `verify-full`: the certificate and its name are both checked.
//!
//! dsr asks for TLS and shakes hands itself, instead of through tokio-postgres: its errors would hide
//! which of the two failed.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::ledger::engine::postgres::cause::Cause;

/// The request for TLS: its length, and a number that is no version of the protocol.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Who may vouch for the server.
#[derive(Clone, Debug)]
pub(crate) enum TrustedRoots {
    /// The authorities that browsers trust.
    Bundled,
    /// Only the certificates of a PEM file: `DSR_CA_FILE`.
    Pem(Vec<u8>),
}

/// Why there is no trusted connection. Nothing was sent, not even the user.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the file of authorities holds no certificate in PEM")]
    NoAuthority,
    #[error("the file of authorities holds a certificate that cannot be read")]
    BadAuthority,
    #[error("the server offers no TLS")]
    NotOffered,
    #[error("the server does not answer as PostgreSQL does")]
    NotPostgres,
    #[error("`{0}` cannot be the name in a certificate")]
    Name(String),
    #[error("no trusted authority signed the server's certificate")]
    UnknownIssuer,
    #[error("the server's certificate is not for `{0}`")]
    WrongName(String),
    #[error("the server's certificate has expired, or is not valid yet")]
    Expired,
    #[error(
        "the server's certificate is one of an authority (`CA:TRUE`), which cannot be a server's own"
    )]
    Authority,
    #[error("the TLS handshake failed")]
    Handshake(#[source] Box<rustls::Error>),
    #[error("the connection broke in the TLS handshake")]
    Broken { source: Cause },
}

/// Why a server is not trusted, as far as the operator can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFault {
    /// None of the trusted authorities signed its certificate, or none can be read.
    Authority,
    /// Its certificate has another name.
    Name,
    /// Its certificate has expired, or is not valid yet.
    Time,
    /// Its certificate is that of an authority.
    Certificate,
    /// It offers no TLS.
    NotOffered,
    Handshake,
}

impl TlsError {
    pub(crate) fn fault(&self) -> TlsFault {
        match self {
            Self::NoAuthority | Self::BadAuthority | Self::UnknownIssuer => TlsFault::Authority,
            Self::Name(_) | Self::WrongName(_) => TlsFault::Name,
            Self::Expired => TlsFault::Time,
            Self::Authority => TlsFault::Certificate,
            Self::NotOffered => TlsFault::NotOffered,
            Self::NotPostgres | Self::Handshake(_) | Self::Broken { .. } => TlsFault::Handshake,
        }
    }
}

impl TrustedRoots {
    pub(super) fn client_config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::Bundled => {
                roots.add_parsable_certificates(
                    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned(),
                );
            }
            Self::Pem(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|_| TlsError::BadAuthority)?;
                    roots.add(certificate).map_err(|_| TlsError::BadAuthority)?;
                }
            }
        }
        if roots.is_empty() {
            return Err(TlsError::NoAuthority);
        }
        // A provider of its own: the process's default need not be installed yet.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Handshake(Box::new(error)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// Turns a fresh connection into one that is encrypted, to a server that proved to be `host`.
pub(super) async fn secure<S>(
    mut stream: S,
    host: &str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<S>, TlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))?;
    let broken = |error: io::Error| TlsError::Broken {
        source: Cause::io(&error),
    };
    stream.write_all(&SSL_REQUEST).await.map_err(broken)?;
    // Only this byte may be read here: the next one belongs to the handshake, so a byte that somebody
    // injected before it cannot pass for the server's first encrypted message.
    let mut answer = [0];
    stream.read_exact(&mut answer).await.map_err(broken)?;
    match &answer {
        b"S" => {}
        b"N" => return Err(TlsError::NotOffered),
        // `E` is an error that nobody has signed; its text is not to be shown.
        _ => return Err(TlsError::NotPostgres),
    }
    TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(|error| handshake_error(&error, host))
}

fn handshake_error(error: &io::Error, host: &str) -> TlsError {
    let source = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<rustls::Error>());
    match source {
        Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
            // The second: an authority of the same name, with another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                TlsError::UnknownIssuer
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsError::WrongName(host.to_owned())
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TlsError::Expired,
            // rustls keeps webpki's own error, whose type is not ours to name.
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                TlsError::Authority
            }
            other => {
                TlsError::Handshake(Box::new(rustls::Error::InvalidCertificate(other.clone())))
            }
        },
        Some(source) => TlsError::Handshake(Box::new(source.clone())),
        None => TlsError::Broken {
            source: Cause::io(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// Why a server that answers this is not trusted.
    fn answered(answer: &[u8]) -> TlsError {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (ours, mut theirs) = duplex(8192);
            theirs.write_all(answer).await.unwrap();
            // Nothing more to come; what dsr writes still has a place.
            theirs.shutdown().await.unwrap();
            let config = TrustedRoots::Bundled.client_config().unwrap();
            let error = secure(ours, "db.example", config).await.unwrap_err();
            let mut request = [0; 8];
            theirs.read_exact(&mut request).await.unwrap();
            assert_eq!(request, SSL_REQUEST);
            error
        })
    }

    #[test]
    fn a_server_without_tls_is_refused() {
        assert!(matches!(answered(b"N"), TlsError::NotOffered));
        assert!(matches!(answered(b"E"), TlsError::NotPostgres));
        assert!(matches!(answered(b""), TlsError::Broken { .. }));
    }

    #[test]
    fn bytes_after_the_offer_are_part_of_the_handshake() {
        let injected = answered(b"SR\0\0\0\x08\0\0\0\0");
        assert!(matches!(injected, TlsError::Handshake(_)), "{injected:?}");
    }

    #[test]
    fn a_file_of_authorities_needs_certificates() {
        let error = |pem: &str| TrustedRoots::Pem(pem.into()).client_config().unwrap_err();
        assert!(matches!(error(""), TlsError::NoAuthority));
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(error(bad), TlsError::BadAuthority));
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(matches!(error(cut), TlsError::BadAuthority));
    }
}
