import { ScaleDistribution } from '@grafana/schema';
import { BAD, GOOD, QUIET, WARN } from './palette';
import { PER_MINUTE, fixedColor, fixedColors, row, timeseries } from './panel';
import { CHOSEN, byLog, delayOverall, failuresPerMinute, gauge, perMinute, perWebhook, select } from './query';
import { reasonColors } from './overview';

const ofEachWebhook = '{{webhook}}';

const deliveries = [
  timeseries({
    title: 'Attempts by outcome',
    description:
      'Delivery attempts per minute of the chosen webhooks: those that the receiver accepted, and those that failed.',
    unit: PER_MINUTE,
    alerts: ['CotalkerWebhookFailing'],
    stacked: true,
    restsAtZero: true,
    noValue: 'No attempts',
    series: [
      ['failed', `sum(${failuresPerMinute(CHOSEN)})`],
      [
        'succeeded',
        `sum(clamp_min(${perMinute('cotalker_webhook_delivery_attempts_total', CHOSEN)} - ${failuresPerMinute(CHOSEN)}, 0))`,
      ],
    ],
    overrides: [fixedColor('failed', BAD), fixedColor('succeeded', GOOD)],
  }),
  timeseries({
    title: 'Failures by reason',
    description:
      'Failed attempts per minute of the chosen webhooks, by reason. HTTP reasons: the receiver sent this status. The others: it sent no response; check its network, name and certificate.',
    unit: PER_MINUTE,
    alerts: ['CotalkerWebhookFailing', 'CotalkerReceiverCertificateExpired', 'CotalkerReceiverDnsGone'],
    stacked: true,
    noValue: 'No failures',
    series: [
      [
        '{{reason}}',
        `sum by (reason) (${perMinute('cotalker_webhook_delivery_failures_total', CHOSEN, 'reason')}) > 0`,
      ],
    ],
    overrides: reasonColors,
  }),
  timeseries({
    title: 'Responses by status code',
    description: 'Responses of the receivers per minute, by status code. Attempts without a response are left out.',
    unit: PER_MINUTE,
    alerts: ['CotalkerWebhookFailing'],
    stacked: true,
    noValue: 'No response from any receiver',
    series: [
      ['{{code}}', `sum by (code) (${perMinute('cotalker_webhook_delivery_responses_total', CHOSEN, 'code')}) > 0`],
    ],
    overrides: [fixedColors('/^2/', GOOD)],
  }),
];

const events = [
  timeseries({
    title: 'Delay from event to delivery',
    description:
      'The time from creation to delivery within which half, nine of ten and 99 of 100 delivered events arrived. If there are no retries, the receiver responds slowly: let it respond at once and process the event afterwards.',
    unit: 's',
    alerts: ['CotalkerDeliverySlow'],
    noValue: 'Nothing delivered',
    series: [
      ['p99', delayOverall(0.99, CHOSEN, 'rate')],
      ['p90', delayOverall(0.9, CHOSEN, 'rate')],
      ['p50', delayOverall(0.5, CHOSEN, 'rate')],
    ],
    overrides: [fixedColor('p99', BAD), fixedColor('p90', WARN), fixedColor('p50', GOOD)],
  }),
  timeseries({
    title: 'Events delivered and lost',
    description: 'Distinct events per minute, however many attempts each took. Lost events have to be replayed by hand.',
    unit: PER_MINUTE,
    alerts: ['CotalkerEventLost'],
    stacked: true,
    restsAtZero: true,
    noValue: 'No events',
    series: [
      ['lost', `sum(${perMinute('cotalker_webhook_events_lost_total', CHOSEN)})`],
      ['delivered', `sum(${perMinute('cotalker_webhook_events_delivered_total', CHOSEN)})`],
    ],
    overrides: [fixedColor('lost', BAD), fixedColor('delivered', GOOD)],
  }),
  timeseries({
    title: 'Events by kind',
    description:
      'Distinct events per minute, by type and action. A webhook without events is not a problem.',
    unit: PER_MINUTE,
    stacked: true,
    noValue: 'No events',
    series: [
      [
        '{{event_type}} {{action}}',
        `sum by (event_type, action) (${perMinute('cotalker_webhook_events_total', CHOSEN, 'event_type', 'action')}) > 0`,
      ],
    ],
  }),
];

const trouble = [
  timeseries({
    title: 'Pending by webhook',
    description: 'Events that have failed so far and may still be sent again, by webhook.',
    unit: 'short',
    stacked: true,
    restsAtZero: true,
    noValue: 'No webhook',
    series: [[ofEachWebhook, gauge('cotalker_webhook_events_pending', CHOSEN)]],
  }),
  timeseries({
    title: 'Failures in a row by webhook',
    description:
      'Failed attempts since the last success, by webhook. It falls to 0 at the first success: see here whether a fix works. The scale is logarithmic.',
    unit: 'short',
    alerts: ['CotalkerWebhookBlocked', 'CotalkerWebhookFailing'],
    restsAtZero: true,
    noValue: 'No webhook',
    series: [[ofEachWebhook, gauge('cotalker_webhook_consecutive_failures', CHOSEN)]],
    scale: { type: ScaleDistribution.Symlog, log: 10, linearThreshold: 1 },
  }),
  timeseries({
    title: 'Retries by webhook',
    description:
      'Retries per minute, of each webhook that has any. They rise before events are lost.',
    unit: PER_MINUTE,
    alerts: ['CotalkerRetriesRising'],
    stacked: true,
    noValue: 'No retries',
    series: [[ofEachWebhook, `${perMinute('cotalker_webhook_delivery_retries_total', CHOSEN)} > 0`]],
  }),
];

const headroom = perWebhook(
  byLog(
    `${select('cotalker_webhook_last_poll_success_timestamp_seconds', CHOSEN)} - ${select('cotalker_webhook_log_window_oldest_timestamp_seconds', CHOSEN)}`,
    CHOSEN,
  ),
);

const log = [
  timeseries({
    title: 'Headroom of the log',
    description:
      'How far back the log of each webhook reached when it was last read. When it approaches the poll interval, entries will be missed: poll more often.',
    unit: 's',
    alerts: ['CotalkerLogWindowShort'],
    noValue: 'The logs are empty',
    series: [[ofEachWebhook, headroom]],
  }),
  timeseries({
    title: 'Entries in the log',
    description:
      'What the logs of the chosen webhooks hold now, counted or not. Malformed entries and entries of another webhook (foreign) are left out of every count.',
    unit: 'short',
    alerts: ['CotalkerLogUnreadable'],
    stacked: true,
    noValue: 'No webhook',
    series: [
      ['{{result}}', `sum by (result) (${gauge('cotalker_webhook_log_window_entries', CHOSEN, 'result')})`],
    ],
    overrides: [
      fixedColor('success', GOOD),
      fixedColor('failed', BAD),
      fixedColor('malformed', WARN),
      fixedColor('foreign', QUIET),
    ],
  }),
  timeseries({
    title: 'Gaps and late entries',
    description:
      'Gaps: no overlap with the previous poll; entries may have been missed, and counts may be too low. Poll more often. Late: entries that appeared after a younger one; they are counted, and harmless.',
    unit: PER_MINUTE,
    alerts: ['CotalkerLogGap'],
    restsAtZero: true,
    noValue: 'No webhook',
    series: [
      ['gaps', `sum(${perMinute('cotalker_webhook_log_gaps_total', CHOSEN)})`],
      ['late entries', `sum(${perMinute('cotalker_webhook_log_late_entries_total', CHOSEN)})`],
    ],
    overrides: [fixedColor('gaps', BAD), fixedColor('late entries', 'blue')],
  }),
];

export const chosenWebhooks = row(
  'Webhook: $webhook',
  { height: 8, panels: deliveries },
  { height: 8, panels: events },
  { height: 8, panels: trouble },
  { height: 8, panels: log },
);
