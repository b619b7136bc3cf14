//! Sockets that the service manager passes, as the flag `--web.systemd-socket` has them.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;

use listenfd::ListenFd;
use socket2::SockRef;
use tokio::net::TcpListener;

/// Where passed sockets begin. Source: `sd_listen_fds(3)`, `SD_LISTEN_FDS_START`.
const FIRST_DESCRIPTOR: usize = 3;

/// The sockets that the service manager bound for this process (socket activation, `sd_listen_fds(3)`).
///
/// They stay open as long as this lives, and in the service manager beyond: a client that comes during a restart waits
/// instead of being refused.
#[derive(Clone, Debug)]
pub struct PassedSockets(Arc<[StdListener]>);

/// Why there is nothing to serve on.
#[derive(Debug, thiserror::Error)]
pub enum PassedSocketsError {
    /// The environment speaks of no socket for this process.
    #[error("no socket was passed: LISTEN_FDS and LISTEN_PID are not set for this process")]
    None,
    /// One of them is of another kind.
    #[error("descriptor {descriptor} was passed, and is no TCP socket that listens")]
    Other {
        /// Its number.
        descriptor: usize,
    },
}

impl PassedSockets {
    /// Takes what was passed. Only the first call of a process finds it: the variables are removed, so that no child
    /// takes them for its own. Call it while the process has one thread, because the environment is changed.
    ///
    /// # Errors
    ///
    /// If nothing was passed, or something other than TCP sockets that listen.
    pub fn take() -> Result<Self, PassedSocketsError> {
        let mut passed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..passed.len() {
            let descriptor = FIRST_DESCRIPTOR.saturating_add(index);
            let socket = passed.take_tcp_listener(index).ok().flatten();
            // A connection that was accepted already is such a socket, too.
            let socket = socket.filter(|socket| SockRef::from(socket).is_listener().unwrap_or(false));
            sockets.push(socket.ok_or(PassedSocketsError::Other { descriptor })?);
        }
        if sockets.is_empty() { Err(PassedSocketsError::None) } else { Ok(Self(sockets.into())) }
    }

    /// The sockets, to be served on.
    ///
    /// # Errors
    ///
    /// If the system refuses a copy of a descriptor, for want of descriptors.
    ///
    /// # Panics
    ///
    /// If it is called outside of a runtime of tokio.
    pub fn listeners(&self) -> io::Result<Vec<TcpListener>> {
        let copy = |socket: &StdListener| {
            let socket = socket.try_clone()?;
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        };
        self.0.iter().map(copy).collect()
    }
}
