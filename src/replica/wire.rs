//! A Lease as the Kubernetes API has it. Source: the API reference, `coordination.k8s.io/v1`.

use std::time::Duration;

use jiff::Timestamp;
use lease_election::{Record, Wanted};
use serde_json::{Map, Value, json};

/// What an object says; `None` if it is no Lease.
pub(super) fn record(object: &Value) -> Option<Record> {
    let version = object.get("metadata")?.get("resourceVersion")?.as_str()?.to_owned();
    let spec = object.get("spec");
    let field = |name: &str| spec.and_then(|spec| spec.get(name)).filter(|value| !value.is_null());
    let time = |name: &str| field(name)?.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_microsecond);
    let holder = field("holderIdentity").and_then(Value::as_str).filter(|holder| !holder.is_empty());
    Some(Record {
        version,
        holder: holder.map(str::to_owned),
        duration: field("leaseDurationSeconds").and_then(Value::as_u64).map(Duration::from_secs),
        acquired_at: time("acquireTime"),
        renewed_at: time("renewTime"),
        transitions: field("leaseTransitions").and_then(Value::as_u64).and_then(|n| n.try_into().ok()).unwrap_or(0),
    })
}

/// A Lease that is to be made.
pub(super) fn created(name: &str, namespace: &str, wanted: &Wanted) -> Value {
    let mut object = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "name": name, "namespace": namespace },
    });
    write(&mut object, wanted);
    object
}

/// `object` with what is wanted, if it is to replace `version`. Whatever else it holds stays.
pub(super) fn updated(object: &Value, version: &str, wanted: &Wanted) -> Value {
    let mut object = object.clone();
    object["metadata"]["resourceVersion"] = version.into();
    write(&mut object, wanted);
    object
}

fn write(object: &mut Value, wanted: &Wanted) {
    if !object["spec"].is_object() {
        object["spec"] = Value::Object(Map::new());
    }
    let spec = &mut object["spec"];
    spec["holderIdentity"] = wanted.holder.as_str().into();
    // Rounded up: a Lease may be taken late, never early.
    let seconds = wanted.duration.as_secs() + u64::from(wanted.duration.subsec_nanos() > 0);
    spec["leaseDurationSeconds"] = seconds.max(1).into();
    spec["acquireTime"] = time(wanted.acquired_at);
    spec["renewTime"] = time(wanted.renewed_at);
    spec["leaseTransitions"] = wanted.transitions.into();
}

/// Kubernetes' `MicroTime`: RFC 3339 with exactly six digits.
fn time(micros: i64) -> Value {
    let time = Timestamp::from_microsecond(micros).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(holder: &str) -> Wanted {
        Wanted {
            holder: holder.to_owned(),
            duration: Duration::from_millis(14_001),
            acquired_at: 1_700_000_000_000_000,
            renewed_at: 1_700_000_060_000_001,
            transitions: 3,
        }
    }

    #[test]
    fn a_lease_is_read_as_it_was_written_and_keeps_what_it_held_besides() {
        let mut object = created("exporter", "prod", &wanted("a"));
        assert_eq!(object["spec"]["renewTime"], "2023-11-14T22:14:20.000001Z");
        object["metadata"]["resourceVersion"] = "7".into();
        object["metadata"]["labels"] = json!({ "team": "x" });
        object["spec"]["strategy"] = "y".into();
        let read = record(&object).expect("a Lease");
        let duration = Some(Duration::from_secs(15));
        let (acquired_at, renewed_at) = (Some(1_700_000_000_000_000), Some(1_700_000_060_000_001));
        let holder = Some("a".to_owned());
        assert_eq!(read, Record { version: "7".into(), holder, duration, acquired_at, renewed_at, transitions: 3 });
        let object = updated(&object, "7", &wanted(""));
        assert_eq!(record(&object).expect("a Lease").holder, None);
        assert_eq!((&object["metadata"]["labels"]["team"], &object["spec"]["strategy"]), (&"x".into(), &"y".into()));
        assert_eq!(object["spec"]["leaseDurationSeconds"], 15);
    }

    #[test]
    fn a_lease_that_says_nothing_is_free_and_what_has_no_version_is_none() {
        let read = record(&json!({ "metadata": { "resourceVersion": "1" }, "spec": { "holderIdentity": null } }));
        assert_eq!(read.map(|record| (record.holder, record.duration)), Some((None, None)));
        for object in [json!([]), json!({ "metadata": {} }), json!("<html>")] {
            assert_eq!(record(&object), None, "{object}");
        }
    }
}
