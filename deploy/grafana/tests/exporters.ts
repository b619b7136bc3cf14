// What exporters would have shown, written without waiting for it.

/** How often the pages are scraped: what Grafana's data source for Prometheus takes for granted. */
const SCRAPE_SECONDS = 15;

/** What an exporter shows of its one webhook. */
export interface Shown {
  /** Whether the list of webhooks could be read. */
  up: 0 | 1;
  /** When the log was last read, in seconds since 1970; nothing before the first time. */
  readAt?: number;
  lost: number;
  blocked: 0 | 1;
  inARow: number;
  pending: number;
  active: 0 | 1;
  host: string;
}

export interface Exporter {
  job: string;
  instance: string;
  /** Its page, by the seconds since the start; nothing while it does not run. */
  shows(after: number): Shown | undefined;
}

/** Each event is lost after four attempts, and as many go well. */
const ATTEMPTS_PER_EVENT = 4;

function page(shown: Shown): [metric: string, labels: string, value: number][] {
  const failures = ATTEMPTS_PER_EVENT * shown.lost;
  const read: [string, string, number][] =
    shown.readAt === undefined
      ? []
      : [
          ['webhook_up', '', shown.up],
          ['webhook_last_poll_success_timestamp_seconds', '', shown.readAt],
          ['webhook_last_success_timestamp_seconds', '', shown.readAt - 60],
          ['webhook_log_window_oldest_timestamp_seconds', '', shown.readAt - 3600 * (1 + shown.inARow)],
        ];
  return [
    ...read,
    ['webhook_active', '', shown.active],
    ['webhook_info', `,target_host="${shown.host}"`, 1],
    ['webhook_blocked', '', shown.blocked],
    ['webhook_consecutive_failures', '', shown.inARow],
    ['webhook_events_pending', '', shown.pending],
    ['webhook_log_window_entries', ',result="success"', 100 - shown.inARow],
    ['webhook_log_window_entries', ',result="failed"', shown.inARow],
    ['webhook_events_lost_total', '', shown.lost],
    ['webhook_events_delivered_total', '', failures],
    ['webhook_delivery_attempts_total', '', 2 * failures],
    ['webhook_delivery_failures_total', ',reason="timeout"', failures],
    ['webhook_delivery_failures_total', ',reason="dns"', 0],
    ['webhook_delivery_retries_total', '', 3 * shown.lost],
    ['webhook_delivery_responses_total', ',code="200"', failures],
    ['webhook_delivery_delay_seconds_bucket', ',le="1.0"', failures],
    ['webhook_delivery_delay_seconds_bucket', ',le="+Inf"', failures],
    ['webhook_events_total', ',event_type="COTTask",action="edit"', failures + shown.lost],
    ['webhook_log_gaps_total', '', 0],
    ['webhook_log_late_entries_total', '', 0],
  ];
}

/** All that Prometheus would have scraped from the start on, in the text format of OpenMetrics. */
export function scraped(exporters: Exporter[], start: number, seconds: number): string {
  const lines: string[] = [];
  for (let after = 0; after <= seconds; after += SCRAPE_SECONDS) {
    for (const { job, instance, shows } of exporters) {
      const shown = shows(after);
      if (!shown) continue;
      const target = `job="${job}",instance="${instance}"`;
      lines.push(`cotalker_up{${target}} ${shown.up} ${start + after}`);
      for (const [metric, labels, value] of page(shown)) {
        lines.push(
          `cotalker_${metric}{${target},webhook_id="1",webhook="billing"${labels}} ${value} ${start + after}`,
        );
      }
    }
  }
  return [...lines, '# EOF', ''].join('\n');
}
