//! The families of what the exporter has counted of itself: one table, one row per family. A new metric is one row.

use delivery_ledger::UnixMillis;
use delivery_ledger::fleet::PollResult;

use super::figures::Figures;
use super::results::{ReloadResult, WriteResult};
use crate::api::call::{CallResult, Endpoint};
use crate::build;
use crate::exposition::{Kind, OwnFamily, Series, Value};

/// Every family, in the order of their names. All series are there from the start, so that `increase()` sees the first of
/// each.
pub(super) const FAMILIES: &[OwnFamily<Figures>] = &[
    OwnFamily {
        name: "cotalker_api_backoff_until_timestamp_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Unix time until which no call to the Cotalker API is made because the API asked for a pause or limits the rate; 0 while there is no pause.",
        samples: |series, figures| series.put(time(figures.backoff_until)),
    },
    OwnFamily {
        name: "cotalker_api_request_duration_seconds",
        kind: Kind::Histogram,
        labels: &["endpoint"],
        help: "Duration of calls to the Cotalker API, from connect to last byte.",
        samples: |series, figures| {
            for endpoint in Endpoint::ALL {
                let durations = &figures.calls[endpoint.index()].durations;
                durations.write(series, &[("endpoint", endpoint.as_str())]);
            }
        },
    },
    OwnFamily {
        name: "cotalker_api_requests_total",
        kind: Kind::Counter,
        labels: &["endpoint", "result"],
        help: "Number of calls to the Cotalker API, by endpoint and result.",
        samples: |series, figures| {
            for endpoint in Endpoint::ALL {
                for result in CallResult::ALL {
                    let calls = figures.calls[endpoint.index()].results[result.index()];
                    let labels = [("endpoint", endpoint.as_str()), ("result", result.as_str())];
                    series.put_with(&labels, Value::Count(calls));
                }
            }
        },
    },
    OwnFamily {
        name: "cotalker_api_response_bytes_total",
        kind: Kind::Counter,
        labels: &["endpoint"],
        help: "Number of bytes in responses of the Cotalker API, after decompression.",
        samples: |series, figures| {
            for endpoint in Endpoint::ALL {
                let bytes = figures.calls[endpoint.index()].bytes;
                series.put_with(&[("endpoint", endpoint.as_str())], Value::Count(bytes));
            }
        },
    },
    OwnFamily {
        name: "cotalker_api_token_expiry_timestamp_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Unix time at which the token in use expires, as the token says it; absent if it is no JWT or has no expiry.",
        samples: |series, figures| series.put_opt(figures.token_expiry.map(Value::Float)),
    },
    OwnFamily {
        name: "cotalker_exporter_build_info",
        kind: Kind::Gauge,
        labels: &["version", "revision", "rustc"],
        help: "Always 1; the labels hold the exporter's version, its git revision and the compiler's version.",
        samples: |series, _| {
            let labels = [("version", build::VERSION), ("revision", build::REVISION), ("rustc", build::RUSTC)];
            series.put_with(&labels, Value::Count(1));
        },
    },
    OwnFamily {
        name: "cotalker_exporter_last_poll_success_timestamp_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Unix time at which a poll last ended without any failure; 0 before the first one.",
        samples: |series, figures| series.put(time(figures.last_good_poll)),
    },
    OwnFamily {
        name: "cotalker_exporter_leader",
        kind: Kind::Gauge,
        labels: &[],
        help: "1 if this replica polls each interval, 0 if it stands by because another one holds the Lease; always 1 without --replica.lease.",
        samples: |series, figures| series.put(figures.leads.into()),
    },
    OwnFamily {
        name: "cotalker_exporter_log_lines_dropped_total",
        kind: Kind::Counter,
        labels: &[],
        help: "Number of log lines that were dropped because nobody read standard error fast enough.",
        samples: |series, figures| series.put(Value::Count(figures.log_lines_dropped)),
    },
    OwnFamily {
        name: "cotalker_exporter_poll_duration_seconds",
        kind: Kind::Histogram,
        labels: &[],
        help: "Duration of polls: one pass over the list of webhooks and their logs.",
        samples: |series, figures| figures.poll_durations.write(series, &[]),
    },
    OwnFamily {
        name: "cotalker_exporter_poll_interval_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Time between the starts of two polls: --poll.interval, or --replica.standby-interval while another replica holds the Lease.",
        samples: |series, figures| series.put(Value::Float(figures.poll_interval_seconds)),
    },
    OwnFamily {
        name: "cotalker_exporter_polls_skipped_total",
        kind: Kind::Counter,
        labels: &[],
        help: "Number of polls that were skipped because the previous one was still running.",
        samples: |series, figures| series.put(Value::Count(figures.polls_skipped)),
    },
    OwnFamily {
        name: "cotalker_exporter_polls_total",
        kind: Kind::Counter,
        labels: &["result"],
        help: "Number of polls that ended, by result: ok, partial (some log could not be read) or failed (the list could not be read).",
        samples: |series, figures| {
            by_result(series, PollResult::ALL.iter().map(|result| result.as_str()), &figures.polls);
        },
    },
    OwnFamily {
        name: "cotalker_exporter_state_last_write_timestamp_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Unix time at which this process last wrote the checkpoint (--state.path); 0 before the first write.",
        samples: |series, figures| series.put(time(figures.last_state_write)),
    },
    OwnFamily {
        name: "cotalker_exporter_state_recoveries_total",
        kind: Kind::Counter,
        labels: &[],
        help: "Number of checkpoints that could not be used at the start and were put aside.",
        samples: |series, figures| series.put(Value::Count(figures.state_recoveries)),
    },
    OwnFamily {
        name: "cotalker_exporter_state_writes_total",
        kind: Kind::Counter,
        labels: &["result"],
        help: "Number of writes of the checkpoint (--state.path), by result: ok or error.",
        samples: |series, figures| {
            by_result(series, WriteResult::ALL.iter().map(|result| result.as_str()), &figures.state_writes);
        },
    },
    OwnFamily {
        name: "cotalker_exporter_web_config_reloads_total",
        kind: Kind::Counter,
        labels: &["result"],
        help: "Number of reloads of --web.config.file and the files it names, by result: ok (in force) or error (the last good one stays in force).",
        samples: |series, figures| {
            let reloads = &figures.web_config_reloads;
            by_result(series, ReloadResult::ALL.iter().map(|result| result.as_str()), reloads);
        },
    },
    OwnFamily {
        name: "cotalker_exporter_webhook_read_interval_seconds",
        kind: Kind::Gauge,
        labels: &[],
        help: "Longest planned time between two reads of a webhook's log, see cotalker_webhook_poll_interval_seconds; calls that take long make it longer.",
        samples: |series, figures| series.put(Value::Float(figures.webhook_read_interval_seconds)),
    },
];

/// A point in time in seconds since 1970; 0 if there is none.
fn time(at: Option<UnixMillis>) -> Value {
    at.map_or(Value::Count(0), Value::from)
}

/// A counter for each result, in the order of the results.
fn by_result(series: &mut Series<'_>, results: impl Iterator<Item = &'static str>, counts: &[u64]) {
    for (result, count) in results.zip(counts) {
        series.put_with(&[("result", result)], Value::Count(*count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_the_order_of_their_names() {
        assert!(FAMILIES.is_sorted_by_key(|family| family.name));
    }
}
