//! Addresses to listen on, as the flag `--web.listen-address` has them.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::str::FromStr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that wait to be accepted. Source: tokio's own `bind`.
const BACKLOG: i32 = 1024;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    /// A name or an address, without brackets; `None` for all addresses of the machine.
    pub host: Option<String>,
    /// The port; 0 for any free one.
    pub port: u16,
}

impl ListenAddress {
    /// The forms that can be parsed, for messages.
    pub const FORMS: &'static str = "host:port, [v6]:port or :port";
}

/// A text that is no [`ListenAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a listen address is {}", ListenAddress::FORMS)]
pub struct ParseListenAddressError;

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = ParseListenAddressError;

    fn from_str(text: &str) -> Result<Self, ParseListenAddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(ParseListenAddressError)?;
        let port =
            port.parse().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit())).ok_or(ParseListenAddressError)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) if v6.parse::<Ipv6Addr>().is_ok() => Some(v6.to_owned()),
            Some(_) => return Err(ParseListenAddressError),
            None if host.is_empty() => None,
            None if host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')) => {
                Some(host.to_owned())
            }
            None => return Err(ParseListenAddressError),
        };
        Ok(Self { host, port })
    }
}

/// An address that cannot be bound; the source says why.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen on {address} (--web.listen-address)")]
pub struct ListenError {
    /// The first address that failed.
    pub address: ListenAddress,
    /// Why.
    pub source: io::Error,
}

/// Binds all addresses. One without a host listens on all addresses of both families; where there is no IPv6, on those
/// of IPv4.
///
/// # Errors
///
/// If an address cannot be bound. None stays bound then.
pub async fn listen(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = bind(address).await.map_err(|source| ListenError { address: address.clone(), source })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

async fn bind(address: &ListenAddress) -> io::Result<TcpListener> {
    match &address.host {
        Some(host) => TcpListener::bind((host.as_str(), address.port)).await,
        None => match bind_both_families(address.port) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                TcpListener::bind(("0.0.0.0", address.port)).await
            }
            bound => bound,
        },
    }
}

/// All addresses of IPv6 and of IPv4 on one socket, whatever the system's default is (`net.ipv6.bindv6only`).
fn bind_both_families(port: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_only_v6(false)?;
    socket.set_nonblocking(true)?;
    // As tokio's own `bind` does it, so that a restart does not wait for old connections.
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses_have_three_forms() {
        for (text, host, port) in [
            (":10942", None, 10942),
            ("127.0.0.1:0", Some("127.0.0.1"), 0),
            ("[::1]:80", Some("::1"), 80),
            ("a-b.example:1", Some("a-b.example"), 1),
        ] {
            let address: ListenAddress = text.parse().expect("an address");
            assert_eq!((address.host.as_deref(), address.port, address.to_string().as_str()), (host, port, text));
        }
        for text in ["", "80", "localhost", "::1:80", "[::1:80", "[x]:80", "x:99999", "x:+1", "x:", "a b:1"] {
            assert_eq!(text.parse::<ListenAddress>(), Err(ParseListenAddressError), "{text:?}");
        }
    }

    #[tokio::test]
    async fn an_address_without_a_host_takes_clients_of_both_families() {
        let listeners = listen(&[":0".parse().expect("an address")]).await.expect("a port");
        let bound = listeners[0].local_addr().expect("an address");
        tokio::net::TcpStream::connect(("127.0.0.1", bound.port())).await.expect("IPv4");
        // A machine without IPv6 has no such clients.
        if bound.is_ipv6() {
            assert!(!socket2::SockRef::from(&listeners[0]).only_v6().expect("an option"));
            tokio::net::TcpStream::connect(("::1", bound.port())).await.expect("IPv6");
        }
    }

    #[tokio::test]
    async fn addresses_are_bound_and_an_error_names_the_one_that_is_taken() {
        let addresses = ["127.0.0.1:0", "127.0.0.1:0"].map(|text| text.parse().expect("an address"));
        let listeners = listen(&addresses).await.expect("two ports");
        let ports: Vec<_> = listeners.iter().map(|bound| bound.local_addr().expect("an address").port()).collect();
        assert!(ports.len() == 2 && ports[0] != ports[1]);
        let taken = ListenAddress { host: Some("127.0.0.1".to_owned()), port: ports[0] };
        let error = listen(std::slice::from_ref(&taken)).await.expect_err("a port that is taken");
        assert_eq!(error.to_string(), format!("failed to listen on 127.0.0.1:{} (--web.listen-address)", ports[0]));
        assert_eq!((error.address, error.source.kind()), (taken, io::ErrorKind::AddrInUse));
    }
}
