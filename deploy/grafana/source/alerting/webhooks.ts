// Alerts about webhooks that are not their receivers' doing.
import { OF_ITS_EXPORTER, OF_THE_SAME_EXPORTER, holders, indent, overPods } from './promql';
import type { Alert } from './rule';

const ACTIVE = 'cotalker_webhook_active';
const SHOWN = `max_over_time(${ACTIVE}[1d:5m])`;
const READ_OF_LATE = `${OF_ITS_EXPORTER} max_over_time(cotalker_up[10m]) == 1`;

const VANISHED = `(${SHOWN} and ${OF_ITS_EXPORTER} cotalker_up == 1)
  unless on (webhook_id) (${ACTIVE} and ${READ_OF_LATE})
or
(${SHOWN} unless ${OF_ITS_EXPORTER} up unless on (webhook_id) ${ACTIVE})
  and ${OF_THE_SAME_EXPORTER} cotalker_up == 1`;

const GAPS = 'cotalker_webhook_log_gaps_total';
const READ_AT = 'cotalker_webhook_last_poll_success_timestamp_seconds';

/**
 * Whether a time is below so many of the intervals at which a log is planned to be read: with many webhooks that is less often
 * than its exporter polls. An exporter that is older than the plan reads each log in each poll.
 */
function within(time: string, operator: '<' | '<=', intervals: number): string {
  return `${time}
  ${operator} ${intervals} * cotalker_webhook_poll_interval_seconds
or
${time}
  ${operator} ${OF_ITS_EXPORTER} group_left () ${intervals} * cotalker_exporter_poll_interval_seconds`;
}

const ENTRIES = 'cotalker_webhook_log_window_entries';

export const accountAlerts: Alert[] = [
  {
    alert: 'CotalkerWebhookDeactivated',
    expr: `${overPods(`${ACTIVE} and ${READ_OF_LATE}`)} == 0
and ${overPods(SHOWN)} == 1`,
    for: '5m',
    severity: 'ticket',
    scope: 'account',
    summary: 'A webhook was switched off.',
    description:
      'Webhook {{ $labels.webhook }} was switched off within the last day and sends nothing. If that was not intended, switch it on again in Cotalker.',
  },
  {
    alert: 'CotalkerWebhookVanished',
    comment: `Its exporter no longer shows it, or there is no such pod any more, another of the same exporter reads the list, and none
shows it. One that is down, or cannot read the list, says nothing about webhooks: that is for other alerts.`,
    expr: overPods(VANISHED),
    for: '5m',
    severity: 'ticket',
    scope: 'account',
    summary: 'No exporter shows a webhook any more.',
    description:
      'Webhook {{ $labels.webhook }} was watched within the last day and is not any more. It was deleted, the token may no longer read it, a filter excludes it, or its exporter is gone. Its lost events are not counted.',
  },
];

export const logAlerts: Alert[] = [
  {
    alert: 'CotalkerLogGap',
    expr: `${overPods(holders(`increase(${GAPS}[1h])`))} > 0
or
${overPods(holders(GAPS))}
  - ${overPods(`max_over_time(${GAPS}[3d:15m] offset 15m)`)} > 0`,
    severity: 'ticket',
    scope: 'exporter',
    summary: 'Entries of a delivery log may have been missed.',
    description:
      'The log of webhook {{ $labels.webhook }} had no overlap with the previous poll; entries may have been missed, and counts may be too low. Search the log for lost events, and poll more often (--poll.interval).',
  },
  {
    alert: 'CotalkerLogWindowShort',
    expr: `${overPods(within(`${READ_AT} - cotalker_webhook_log_window_oldest_timestamp_seconds`, '<', 3))}
and ${overPods(`sum without (result) (${ENTRIES})`)} >= 20`,
    for: '15m',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'A delivery log reaches back little further than the last polls.',
    description: (value) =>
      `The log of webhook {{ $labels.webhook }} reaches back only {{ ${value} | humanizeDuration }}. Entries will soon be missed. Poll more often (--poll.interval).`,
  },
];

export const staleAlert: Alert = {
  alert: 'CotalkerDataStale',
  comment: 'No exporter has read it of late, or ever. While the list cannot be read either, one alert says so for all.',
  expr: `${overPods(`${ACTIVE} unless ${OF_ITS_EXPORTER} max_over_time(cotalker_up[10m]) == 0`)}
unless on (webhook_id) (
  ${indent(within(`time() - ${READ_AT}`, '<=', 5))}
)`,
  for: '10m',
  severity: 'ticket',
  scope: 'exporter',
  summary: 'The data of a webhook is stale.',
  description:
    "The log of webhook {{ $labels.webhook }} has not been read for over 10 minutes and five polls. Its lost events go unnoticed. The exporter's status page says why.",
};

export const unreadableLogAlert: Alert = {
  alert: 'CotalkerLogUnreadable',
  expr: `${overPods(`sum without (result) (${ENTRIES}{result=~"malformed|foreign"})`)} > 0`,
  for: '15m',
  severity: 'ticket',
  scope: 'exporter',
  summary: 'A delivery log holds entries that do not count.',
  description: (value) =>
    `The log of webhook {{ $labels.webhook }} has {{ ${value} }} entries that are malformed or belong to another webhook. They are not counted. Check them by hand.`,
};
