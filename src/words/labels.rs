//! What does not depend on anything: names, headings, and sentences without a number or a name in them.

/// All of it in one language.
#[derive(Debug)]
pub(crate) struct Labels {
    /// The title.
    pub(crate) product: &'static str,
    /// Before the time that the page was made at.
    pub(crate) as_of: &'static str,
    /// Said once, for all times.
    pub(crate) all_times: &'static str,
    /// The page stays as it is.
    pub(crate) no_reload: &'static str,
    /// The link that stops it.
    pub(crate) stop_reload: &'static str,
    /// The link back to all webhooks.
    pub(crate) all_webhooks: &'static str,
    /// The heading above what is broken.
    pub(crate) needs_attention: &'static str,
    /// The name of the filter.
    pub(crate) filter: &'static str,
    /// What can be looked for.
    pub(crate) filter_text: &'static str,
    /// The choice of a state.
    pub(crate) filter_state: &'static str,
    /// No choice of a state.
    pub(crate) any_state: &'static str,
    /// The button of the filter.
    pub(crate) apply_filter: &'static str,
    /// The link that clears the filter.
    pub(crate) clear_filter: &'static str,
    /// A column.
    pub(crate) webhook: &'static str,
    /// A column.
    pub(crate) state: &'static str,
    /// A count.
    pub(crate) attempts: &'static str,
    /// A count of attempts.
    pub(crate) failed: &'static str,
    /// A count of events.
    pub(crate) delivered: &'static str,
    /// A count of events.
    pub(crate) pending: &'static str,
    /// A count of events.
    pub(crate) lost: &'static str,
    /// When an attempt last succeeded.
    pub(crate) last_success: &'static str,
    /// When the log was last read.
    pub(crate) log_read: &'static str,
    /// How long the log keeps entries.
    pub(crate) log_keeps: &'static str,
    /// In place of a time.
    pub(crate) never: &'static str,
    /// The link to the page of a webhook.
    pub(crate) open_webhook: &'static str,
    /// A link.
    pub(crate) metrics: &'static str,
    /// A link to a probe.
    pub(crate) healthy: &'static str,
    /// A link to a probe.
    pub(crate) ready: &'static str,
    /// The title of the card about the API.
    pub(crate) api_title: &'static str,
    /// The state of an API that cannot be read.
    pub(crate) api_state: &'static str,
    /// What a blocked webhook is.
    pub(crate) blocked_why: &'static str,
    /// A log that was not read yet.
    pub(crate) unread_since_start: &'static str,
    /// An inactive webhook.
    pub(crate) switched_off: &'static str,
    /// What to do about stale data.
    pub(crate) check_exporter: &'static str,
    /// A note.
    pub(crate) no_data: &'static str,
    /// A note.
    pub(crate) leads_unsure: &'static str,
    /// A note.
    pub(crate) first_poll_runs: &'static str,
    /// A note.
    pub(crate) nothing_listed: &'static str,
    /// What follows from an API that could never be read.
    pub(crate) list_never_read: &'static str,
    /// In place of a cause.
    pub(crate) see_log: &'static str,
    /// No webhook fits the filter.
    pub(crate) nothing_found: &'static str,
    /// The title of a page that there is not.
    pub(crate) not_found_title: &'static str,
    /// What to say there.
    pub(crate) not_found: &'static str,
    /// A heading.
    pub(crate) lost_events: &'static str,
    /// A heading.
    pub(crate) pending_events: &'static str,
    /// A heading.
    pub(crate) newest_attempts: &'static str,
    /// No event was lost.
    pub(crate) no_lost: &'static str,
    /// No event is pending.
    pub(crate) no_pending: &'static str,
    /// The log has no attempts.
    pub(crate) no_attempts: &'static str,
    /// What the ids are, and where to look for them.
    pub(crate) ids: &'static str,
    /// A column.
    pub(crate) log_entry: &'static str,
    /// A column.
    pub(crate) subject: &'static str,
    /// A column.
    pub(crate) event: &'static str,
    /// A column: when the event was made.
    pub(crate) created: &'static str,
    /// A column: when an attempt was made.
    pub(crate) attempt_at: &'static str,
    /// A column: when the newest attempt was made.
    pub(crate) last_attempt: &'static str,
    /// A column: how often the event was tried before.
    pub(crate) retry: &'static str,
    /// A column: how the attempt ended.
    pub(crate) result: &'static str,
    /// A column: when the event was given up.
    pub(crate) settled: &'static str,
    /// In place of an event that the log does not tell.
    pub(crate) no_event: &'static str,
}
