//! The flags of a replica, and the settings that they make.

use std::time::Duration;

use clap::Args;
use lease_election::CLIENT_GO;

use super::cluster::Cluster;
use super::settings::ReplicaSettings;
use crate::options::{Refused, duration};

/// A convention, as for `--poll.interval`.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest name that an object of Kubernetes can have. Source: its documentation, "Object Names and IDs".
const LONGEST_NAME: usize = 253;

#[derive(Args, Clone, Debug)]
pub(crate) struct ReplicaOptions {
    /// Name of a Kubernetes Lease in the pod's namespace, shared by the replicas of one account: its holder polls each interval, the others stand by
    #[arg(long = "replica.lease", value_name = "NAME", value_parser = name)]
    lease: Option<String>,
    /// Time between the starts of two polls of a replica that stands by; never less than --poll.interval
    #[arg(long = "replica.standby-interval", value_name = "DURATION", default_value = "10m", value_parser = duration(Duration::from_secs(1)..=LONGEST_INTERVAL, "10m"))]
    standby_interval: Duration,
}

impl ReplicaOptions {
    /// The settings, if there are other replicas. `variable` is the environment.
    pub(crate) fn build(
        self,
        interval: Duration,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<ReplicaSettings>, Refused> {
        let Some(lease) = self.lease else { return Ok(None) };
        let cluster = Cluster::of_this_pod(&variable).ok_or_else(|| {
            Refused(format!(
                "--replica.lease (or EXPORTER_REPLICA_LEASE): {lease:?} is not allowed outside of Kubernetes, which sets KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT"
            ))
        })?;
        Ok(Some(ReplicaSettings {
            lease,
            standby_interval: self.standby_interval.max(interval),
            timing: CLIENT_GO,
            cluster,
            // Kubernetes gives each container the pod's name as its host name.
            pod: variable("HOSTNAME").filter(|name| !name.is_empty()).unwrap_or_else(|| "replica".to_owned()),
        }))
    }
}

/// A DNS subdomain name, as Kubernetes has it.
fn name(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.chars().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_name = text.len() <= LONGEST_NAME && text.split('.').all(is_label);
    is_name.then(|| text.to_owned()).ok_or_else(|| {
        "the name of a Lease: lower case letters, digits, - and ., with a letter or digit at each end".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn options(lease: Option<&str>) -> ReplicaOptions {
        ReplicaOptions { lease: lease.map(str::to_owned), standby_interval: MINUTE * 10 }
    }

    fn in_a_pod(name: &str) -> Option<String> {
        match name {
            "KUBERNETES_SERVICE_HOST" => Some("10.96.0.1".to_owned()),
            "KUBERNETES_SERVICE_PORT" => Some("443".to_owned()),
            "HOSTNAME" => Some("receiver-5d9c-abcde".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn without_a_lease_there_are_no_other_replicas() {
        assert!(options(None).build(MINUTE, |_| None).expect("settings").is_none());
    }

    #[test]
    fn a_replica_goes_by_the_name_of_its_pod_and_stands_by_no_more_often_than_it_would_poll() {
        let settings = options(Some("a")).build(MINUTE * 30, in_a_pod).expect("allowed").expect("settings");
        assert_eq!((settings.pod.as_str(), settings.standby_interval), ("receiver-5d9c-abcde", MINUTE * 30));
        let settings = options(Some("a")).build(MINUTE, in_a_pod).expect("allowed").expect("settings");
        assert_eq!(settings.standby_interval, MINUTE * 10);
    }

    #[test]
    fn a_lease_outside_of_kubernetes_is_refused_in_one_line() {
        let Refused(line) = options(Some("a")).build(MINUTE, |_| None).expect_err("refused");
        assert!(line.starts_with("--replica.lease ") && line.contains("KUBERNETES_SERVICE_HOST"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn a_lease_is_named_as_kubernetes_names_objects() {
        for allowed in ["a", "cotalker-webhook-exporter", "a.b-c.1"] {
            assert_eq!(name(allowed).as_deref(), Ok(allowed));
        }
        for refused in ["", "A", "a_b", "-a", "a-", "a..b", "a/b", &"a".repeat(254)] {
            assert!(name(refused).is_err(), "{refused:?}");
        }
    }
}
