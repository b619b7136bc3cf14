//! What a start needs to know.

use std::path::PathBuf;

use crate::api::ApiSettings;
use crate::poller::PollSettings;
use crate::replica::ReplicaSettings;
use crate::telemetry::LogConfig;
use crate::web_options::WebSettings;

/// Everything that a start needs to know, part by part.
#[derive(Clone, Debug)]
pub struct ExporterSettings {
    /// How to reach the API; `None` for the demo, which brings its own, and for a health check, which needs none.
    pub api: Option<ApiSettings>,
    /// What to poll, and how often.
    pub poll: PollSettings,
    /// The other replicas of the account; `None` if this is the only one.
    pub replica: Option<ReplicaSettings>,
    /// The directory for the checkpoint; `None` to keep counts in memory.
    pub state_path: Option<PathBuf>,
    /// Where to serve, and to whom.
    pub web: WebSettings,
    /// What to log, and how.
    pub log: LogConfig,
}
