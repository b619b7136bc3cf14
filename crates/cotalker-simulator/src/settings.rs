//! What can be chosen of a simulator: at its start, and at any time.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::shape::LogShape;

/// What is fixed when a simulator starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A path in front of the API's own, such as `/cotalker`; empty for none.
    pub prefix: String,
    /// How many simulated seconds pass in a second; 0.0 = time stands still but for [`Simulator::advance`].
    pub speed: f64,
    /// The permanent token to start with; `None` makes one up from the world's seed.
    pub token: Option<String>,
    /// Serves TLS instead of plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How the API behaves to begin with.
    pub switches: Switches,
}

impl Default for Settings {
    /// On a free port of 127.0.0.1, plain, time standing still.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            prefix: String::new(),
            speed: 0.0,
            token: None,
            tls: None,
            switches: Switches::default(),
        }
    }
}

/// How the API behaves where its documentation does not say, or may differ; all of it can be changed at any time.
#[derive(Clone, Debug)]
pub struct Switches {
    /// Sends a `Date`, of the simulated time.
    pub date: bool,
    /// How far that `Date` is off, in milliseconds.
    pub date_offset_ms: i64,
    /// Sends a weak `ETag` and honours `If-None-Match`.
    pub etag: bool,
    /// Compresses (gzip, zstd; in tests brotli, too) for those who accept it.
    pub compression: bool,
    /// Leaves inactive webhooks out of the list.
    pub hide_inactive: bool,
    /// Responds with 403 to a call without this `Company` header.
    pub required_company: Option<String>,
    /// Responds with 403 to a call without `admin: true`.
    pub requires_admin: bool,
    /// The whole body of the list instead of the right one.
    pub list_body: Option<String>,
    /// The shape of the logs that [`Simulator::shape`] was not called for.
    pub default_shape: LogShape,
}

impl Default for Switches {
    /// As Express on Node.js does it: with `Date` and `ETag`; compressing; nothing hidden, required or replaced.
    fn default() -> Self {
        Self {
            date: true,
            date_offset_ms: 0,
            etag: true,
            compression: true,
            hide_inactive: false,
            required_company: None,
            requires_admin: false,
            list_body: None,
            default_shape: LogShape::default(),
        }
    }
}
