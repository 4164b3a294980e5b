use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder};

use super::ClientError;

/// Which certificate authorities are believed beside the system's: one of the company's own, whose
/// proxy looks into what goes out. None, unless the operator names a file of them.
#[derive(Debug, Clone, Default)]
pub struct Trust(Vec<Certificate>);

/// Which authorities the operator's come beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usual {
    /// The system's, and our own copy of the common ones: a machine without a store works, too.
    Public,
    /// None: nobody vouches for loopback.
    Nobody,
}

impl Trust {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    /// When the file cannot be read, or holds anything but certificates or none of them.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let failed = |reason: String| ClientError::Authorities {
            path: PathBuf::from(path),
            reason,
        };
        let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        match Certificate::from_pem_bundle(&text) {
            Ok(found) if !found.is_empty() => Ok(Self(found)),
            Ok(_) | Err(_) => Err(failed("it holds no certificates in PEM".to_owned())),
        }
    }

    pub(super) fn apply(&self, builder: ClientBuilder, usual: Usual) -> ClientBuilder {
        match usual {
            Usual::Nobody => builder.tls_certs_only(self.0.clone()),
            Usual::Public => builder.tls_certs_merge(bundled_roots().chain(self.0.clone())),
        }
    }
}

fn bundled_roots() -> impl Iterator<Item = Certificate> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.filter_map(|der| Certificate::from_der(der).ok())
}
