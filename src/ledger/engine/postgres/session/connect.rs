//! The way from a place to a session that is logged in: name, socket, TLS, password.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls};

use super::tls::{TlsError, secure};
use crate::ledger::engine::postgres::cause::Cause;
use crate::ledger::engine::postgres::error::{PasswordGiven, ServerError};
use crate::ledger::engine::postgres::place::{ServerPlace, ServerRoute};

/// A silent network is noticed 5 s + 3 × 2 s after the last byte.
pub(super) const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
pub(super) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
pub(super) const KEEPALIVE_COUNT: u32 = 3;
/// A network that takes bytes and confirms none is given up after this.
pub(super) const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// Any way to a server. One type, so that the driver is compiled once.
pub(super) trait ServerStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> ServerStream for S {}

pub(super) type Link = Connection<Box<dyn ServerStream>, NoTlsStream>;

/// All that a login needs.
pub(super) struct Login {
    pub(super) place: ServerPlace,
    pub(super) password: Option<SecretString>,
    /// Only for a route with TLS.
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) application_name: String,
    pub(super) deadline: Duration,
}

impl Login {
    pub(super) fn unreachable(&self, source: Cause) -> ServerError {
        ServerError::Unreachable {
            place: self.place.to_string(),
            source,
        }
    }

    pub(super) async fn connect(&self) -> Result<(Client, Link), ServerError> {
        let stream = self.reach().await?;
        let mut config = Config::new();
        config.user(self.place.user());
        config.dbname(self.place.database());
        config.application_name(self.application_name.as_str());
        // The stream has its TLS already.
        config.ssl_mode(SslMode::Disable);
        if let Some(password) = &self.password {
            config.password(password.expose_secret());
        }
        let given = match self.password {
            Some(_) => PasswordGiven::Yes,
            None => PasswordGiven::No,
        };
        let connected = config.connect_raw(stream, NoTls).await;
        connected.map_err(|error| ServerError::at_login(self.place.to_string(), &error, given))
    }

    async fn reach(&self) -> Result<Box<dyn ServerStream>, ServerError> {
        let failed = |error: io::Error| self.unreachable(Cause::io(&error));
        match self.place.route() {
            ServerRoute::Socket(folder) => {
                let path = folder.join(format!(".s.PGSQL.{}", self.place.port()));
                unix_socket(&path).await.map_err(failed)
            }
            ServerRoute::Loopback(host) => {
                let addresses = self.addresses(host).await.map_err(failed)?;
                // The system's file of hosts decides what `localhost` is, and nothing is encrypted here.
                if !addresses.iter().all(|address| address.ip().is_loopback()) {
                    let text =
                        format!("`{host}` is not only on this machine, and this route has no TLS");
                    return Err(self.unreachable(Cause::Text(text)));
                }
                let stream = self.tcp(&addresses).await.map_err(failed)?;
                Ok(Box::new(stream))
            }
            ServerRoute::Tls(host) => {
                let tls = |source| ServerError::Tls {
                    place: self.place.to_string(),
                    source,
                };
                let config = self.tls.clone().ok_or_else(|| tls(TlsError::NoAuthority))?;
                let addresses = self.addresses(host).await.map_err(failed)?;
                let stream = self.tcp(&addresses).await.map_err(failed)?;
                match secure(stream, host, config).await {
                    Ok(stream) => Ok(Box::new(stream)),
                    Err(TlsError::Broken { source }) => Err(self.unreachable(source)),
                    Err(source) => Err(tls(source)),
                }
            }
        }
    }

    async fn addresses(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((host, self.place.port())).await?.collect())
    }

    /// Tries one address after the other. Each gets its part of the time, so that a dead first one
    /// leaves some for the rest.
    async fn tcp(&self, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
        let share = self.deadline / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    keep_alive(&stream)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => failure = error,
                Err(_) => {
                    failure = io::Error::new(io::ErrorKind::TimedOut, "the host does not answer");
                }
            }
        }
        Err(failure)
    }
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE);
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd"))]
    let keepalive = keepalive
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_COUNT);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT))?;
    Ok(())
}

#[cfg(unix)]
async fn unix_socket(path: &std::path::Path) -> io::Result<Box<dyn ServerStream>> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn unix_socket(_: &std::path::Path) -> io::Result<Box<dyn ServerStream>> {
    let text = "this system has no sockets with a path";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}
