//! How calls leave this machine: proxy and certificate authorities.

use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, NoProxy};
use secrecy::ExposeSecret;
use url::Url;

use crate::config::Proxy;
use crate::domain::ApiUrl;

/// The proxy schemes that the HTTP client knows. It would silently bypass a proxy with any other.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// The proxy of calls, and the certificate authorities trusted besides the system's. An
/// intercepting company proxy needs such an authority.
#[derive(Clone, Default)]
pub struct Route {
    authorities: Vec<Certificate>,
    proxy: Option<Proxy>,
    /// Hosts to call without the proxy.
    no_proxy: Option<String>,
}

/// The target of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    /// Through the proxy. Trusts the system's authorities and a bundled copy of common ones, for
    /// machines without a store.
    Internet,
    /// Without a proxy. Trusts only the operator's authorities.
    Loopback,
}

impl Towards {
    pub(super) fn of(address: &ApiUrl) -> Self {
        match address.is_loopback() {
            true => Self::Loopback,
            false => Self::Internet,
        }
    }
}

/// Why a client could not be created.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("cannot set up the HTTP client: {reason}")]
    Setup { reason: String },
    #[error("the proxy in {variable} cannot be used: {reason}")]
    Proxy {
        variable: &'static str,
        reason: &'static str,
    },
    #[error("cannot take certificate authorities from `{path}`: {reason}")]
    Authorities { path: PathBuf, reason: String },
}

impl Route {
    /// Uses this proxy, except for the hosts of `no_proxy`.
    #[must_use]
    pub fn through(mut self, proxy: Option<Proxy>, no_proxy: Option<String>) -> Self {
        self.proxy = proxy;
        self.no_proxy = no_proxy;
        self
    }

    /// Trusts the certificates of a PEM file.
    ///
    /// # Errors
    /// When the file is unreadable, or is not one or more certificates.
    pub fn believing(mut self, path: &Path) -> Result<Self, ClientError> {
        let failed = |reason: String| ClientError::Authorities {
            path: PathBuf::from(path),
            reason,
        };
        let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        self.authorities = match Certificate::from_pem_bundle(&text) {
            Ok(found) if !found.is_empty() => found,
            Ok(_) | Err(_) => return Err(failed("it holds no certificates in PEM".to_owned())),
        };
        Ok(self)
    }

    /// # Errors
    /// When the environment's proxy is unusable: dsr never bypasses it.
    pub(super) fn apply(
        &self,
        builder: ClientBuilder,
        towards: Towards,
    ) -> Result<ClientBuilder, ClientError> {
        let own = self.authorities.clone();
        let builder = match towards {
            // HTTP_PROXY would also capture 127.0.0.1.
            Towards::Loopback => return Ok(builder.no_proxy().tls_certs_only(own)),
            Towards::Internet => builder
                .https_only(true)
                .tls_certs_merge(bundled_roots().chain(own)),
        };
        let Some(proxy) = &self.proxy else {
            return Ok(builder);
        };
        let failed = |reason| ClientError::Proxy {
            variable: proxy.variable,
            reason,
        };
        let url = Url::parse(proxy.url.expose_secret()).ok();
        let url = url.filter(|url| url.host_str().is_some_and(|host| !host.is_empty()));
        let url = url.ok_or_else(|| failed("it is not an address such as http://proxy:3128"))?;
        if !SCHEMES.contains(&url.scheme()) {
            return Err(failed("dsr speaks to http, https and SOCKS proxies only"));
        }
        let proxy = reqwest::Proxy::all(url).map_err(|_| failed("it is not a proxy's address"))?;
        let except = self.no_proxy.as_deref().and_then(NoProxy::from_string);
        Ok(builder.no_proxy().proxy(proxy.no_proxy(except)))
    }
}

fn bundled_roots() -> impl Iterator<Item = Certificate> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.filter_map(|der| Certificate::from_der(der).ok())
}
