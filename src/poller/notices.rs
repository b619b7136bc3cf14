//! The fleet's notices as log lines.

use delivery_ledger::Retention;
use delivery_ledger::fleet::Notice;

use crate::api::CallError;

pub(super) fn log(notice: &Notice<CallError>) {
    match notice {
        Notice::ListFailed(cause) => {
            tracing::warn!(%cause, advice = cause.advice(), "failed to read the list of webhooks");
        }
        Notice::OtherAccount { before, now } => tracing::warn!(
            before,
            now,
            "the state belongs to another API or company; webhooks that are not in it and are older than it start at 0"
        ),
        Notice::ListRecovered => tracing::info!("the list of webhooks can be read again"),
        Notice::ListMalformed(malformed) => {
            tracing::warn!(malformed, "the list has malformed entries; they are left out, and no webhook is removed");
        }
        Notice::OverLimit(dropped) => {
            tracing::warn!(dropped, "there are more webhooks than --webhook.limit; the newest are not watched");
        }
        Notice::ReadInterval { webhooks, interval } => {
            tracing::info!(
                webhooks,
                seconds = interval.as_secs_f64(),
                "at --poll.rate a log is read at least this often; busy ones are read more often"
            );
        }
        Notice::Appeared(subject) => {
            tracing::info!(webhook = subject.label, id = %subject.id, "a new webhook is watched");
        }
        Notice::Returned(subject) => {
            tracing::info!(webhook = subject.label, id = %subject.id, "a webhook is back; its counts go on");
        }
        Notice::Vanished(subject) => {
            tracing::info!(webhook = subject.label, id = %subject.id, "a webhook is gone from the list");
        }
        Notice::LogFailed(subject, cause) => {
            tracing::warn!(webhook = subject.label, id = %subject.id, %cause, "failed to read the log of a webhook");
        }
        Notice::LogsFailed(logs, subject, cause) => tracing::warn!(
            logs,
            example = subject.label,
            %cause,
            "failed to read the logs of many webhooks; the status page shows which"
        ),
        Notice::LogsRecovered(logs) => tracing::info!(logs, "the logs of many webhooks can be read again"),
        Notice::LogLearnt(subject, Retention::Newest(entries)) => {
            tracing::info!(webhook = subject.label, entries, "the log keeps the newest entries only");
        }
        Notice::LogLearnt(subject, Retention::ForMillis(millis)) => {
            tracing::info!(
                webhook = subject.label,
                seconds = millis / 1_000,
                "the log keeps entries for a limited time, not a limited number"
            );
        }
        Notice::LogLearnt(subject, Retention::Unknown) => {
            tracing::info!(webhook = subject.label, "it is no longer known how long the log keeps entries");
        }
        Notice::LogsLearnt(logs) => tracing::info!(logs, "it is now known how long many logs keep entries"),
        Notice::LogRecovered(subject) => tracing::info!(webhook = subject.label, "the log can be read again"),
        Notice::Lost { subject, lost, newest } => tracing::warn!(
            webhook = subject.label,
            id = %subject.id,
            lost,
            entry = %newest,
            "events are lost: nothing will send them again"
        ),
        Notice::Gap(subject) => tracing::warn!(
            webhook = subject.label,
            "no overlap with the previous poll; entries may have been missed: poll more often"
        ),
        Notice::LeftOut { subject, malformed, foreign } => {
            tracing::warn!(webhook = subject.label, malformed, foreign, "the log has entries that are left out");
        }
        Notice::Reset(subject) => tracing::warn!(
            webhook = subject.label,
            "the log no longer reaches back to the checkpoint; counts start from 0"
        ),
        Notice::Suppressed(left_out) => {
            tracing::warn!(left_out, "further messages about webhooks of this poll are left out");
        }
    }
}
