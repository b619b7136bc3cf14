import {
  MappingType,
  TableCellBackgroundDisplayMode,
  TableCellDisplayMode,
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  ThresholdsMode,
} from '@grafana/schema';
import { BAD, GOOD, REASONS, REASON_MAPPING, STATE_MAPPING, WARN } from './palette';
import { PER_MINUTE, alertList, fixedColor, row, stat, steps, table, timeseries } from './panel';
import {
  EVERY,
  STATES,
  attemptsInRange,
  byList,
  countInState,
  delayInRange,
  delayOverall,
  failuresInRange,
  failuresPerMinute,
  gauge,
  inRange,
  mainReason,
  perMinute,
  perWebhook,
  select,
  state,
} from './query';

const oldestData = `max(time() - ${perWebhook(select('cotalker_webhook_last_poll_success_timestamp_seconds'))})`;
const lastSuccessAge = `clamp_min(time() - ${gauge('cotalker_webhook_last_success_timestamp_seconds', EVERY)}, 0)`;
const failureRatio = `sum(${failuresInRange(EVERY)}) / (sum(${attemptsInRange(EVERY)}) > 0)`;
const webhookFailureRatio = `${failuresInRange(EVERY)} / (${attemptsInRange(EVERY)} > 0)`;
const receiver = perWebhook(byList(select('cotalker_webhook_info'), EVERY), 'target_host');

const colored = { type: TableCellDisplayMode.ColorBackground, mode: TableCellBackgroundDisplayMode.Basic };
const redFromOne = {
  'custom.cellOptions': { type: TableCellDisplayMode.ColorText },
  decimals: 0,
  thresholds: { mode: ThresholdsMode.Absolute, steps: steps('text', [1, BAD]) },
};

const tiles = [
  stat({
    title: 'Broken webhooks',
    description:
      'Webhooks that are switched on and whose last four attempts or more all failed: with the usual three retries (--webhook.max-retries=3) at least one event is lost, and each further one will be, until the receiver is fixed. The table below says which and why.',
    unit: 'short',
    alerts: ['CotalkerWebhookFailing'],
    expression: countInState(STATES.broken, EVERY),
    steps: steps(GOOD, [1, BAD]),
  }),
  stat({
    title: 'Events lost',
    description:
      'Events lost within the shown range. Cotalker will not send them again: fix the receiver, then replay them by hand; `cotalker-webhook-exporter lost` lists them, and so does the page of each webhook. With several exporters that started to count at different times, this is too high when the one with the highest count leaves or returns.',
    unit: 'short',
    alerts: ['CotalkerEventLost', 'CotalkerManyEventsLost'],
    expression: `sum(${inRange('cotalker_webhook_events_lost_total', EVERY)})`,
    steps: steps(GOOD, [1, BAD]),
    config: { decimals: 0 },
  }),
  stat({
    title: 'Blocked now',
    description:
      'Webhooks whose newest attempt failed and will be retried. Deliveries are in strict order: every event behind that one waits.',
    unit: 'short',
    alerts: ['CotalkerWebhookBlocked'],
    expression: `sum(${gauge('cotalker_webhook_blocked', EVERY)})`,
    steps: steps(GOOD, [1, WARN]),
  }),
  stat({
    title: 'Events pending',
    description:
      'Events that have failed so far and may still be sent again. They are not lost yet: fix the receiver now to save them.',
    unit: 'short',
    expression: `sum(${gauge('cotalker_webhook_events_pending', EVERY)})`,
    steps: steps(GOOD, [1, WARN]),
  }),
  stat({
    title: 'Failed attempts',
    description: 'The share of attempts within the shown range that failed, over all webhooks.',
    unit: 'percentunit',
    alerts: ['CotalkerWebhookFailing'],
    expression: failureRatio,
    steps: steps(GOOD, [0.05, WARN], [0.5, BAD]),
    config: { decimals: 1 },
  }),
  stat({
    title: 'Delay, p90',
    description:
      'Nine of ten events delivered within the shown range arrived in this time or less after they were created. Lost events are not included.',
    unit: 's',
    alerts: ['CotalkerDeliverySlow'],
    expression: delayOverall(0.9, EVERY, 'increase'),
    steps: steps(GOOD, [60, WARN], [300, BAD]),
    config: { decimals: 1 },
  }),
  stat({
    title: 'Cotalker API',
    description:
      'Whether any exporter could read the list of webhooks at its last poll. While none can, all counts stay as they were: an outage of the API looks like silence.',
    unit: 'short',
    alerts: ['CotalkerApiUnreadable', 'CotalkerApiUnauthorized', 'CotalkerExporterDown'],
    expression: `max(${select('cotalker_up')})`,
    steps: steps(BAD, [1, GOOD]),
    config: {
      mappings: [{ type: MappingType.ValueToText, options: { 0: { text: 'Unreadable' }, 1: { text: 'Readable' } } }],
      noValue: 'No exporter',
    },
  }),
  stat({
    title: 'Oldest data',
    description:
      'How long ago the most stale webhook was last read. The alert fires after five poll intervals, five minutes with the default --poll.interval, and ten more minutes.',
    unit: 's',
    alerts: ['CotalkerDataStale'],
    expression: oldestData,
    steps: steps(GOOD, [180, WARN], [300, BAD]),
    config: { decimals: 0 },
  }),
];

const webhooks = table({
  title: 'Webhooks, worst first',
  description:
    'One row per webhook. State, pending, blocked, failures in a row and last success are current; the rest covers the shown range. Broken: the last four attempts or more all failed; with --webhook.max-retries=3 that is a lost event. Blocked: the newest attempt failed and will be retried. Failing: the newest attempt failed. Why: the most frequent reason. Click a webhook to show its panels below, or its id for its page at the exporter, which lists what to replay.',
  unit: 'short',
  alerts: [
    'CotalkerWebhookFailing',
    'CotalkerReceiverCertificateExpired',
    'CotalkerReceiverDnsGone',
    'CotalkerWebhookDeactivated',
    'CotalkerWebhookVanished',
  ],
  noValue: '–',
  hidden: [],
  sortBy: [
    { displayName: 'State', desc: true },
    { displayName: 'Lost', desc: true },
  ],
  columns: [
    {
      name: 'Webhook',
      field: 'webhook',
      look: {
        'custom.minWidth': 150,
        links: [
          {
            title: 'Show this webhook below',
            url: '/d/cotalker-webhooks?${datasource:queryparam}&${account:queryparam}&${exporter:queryparam}&${job:queryparam}&${instance:queryparam}&var-webhook=${__value.text:percentencode}&${__url_time_range}',
          },
        ],
      },
    },
    {
      name: 'State',
      expression: state(EVERY),
      look: { 'custom.width': 120, 'custom.cellOptions': colored, 'custom.align': 'left', mappings: [STATE_MAPPING] },
    },
    {
      name: 'Why',
      field: 'reason',
      expression: mainReason(EVERY),
      look: {
        'custom.width': 200,
        'custom.cellOptions': colored,
        mappings: [REASON_MAPPING],
        noValue: ' ',
        thresholds: { mode: ThresholdsMode.Absolute, steps: steps('transparent') },
      },
    },
    {
      name: 'Lost',
      expression: inRange('cotalker_webhook_events_lost_total', EVERY),
      look: { 'custom.width': 80, ...redFromOne },
    },
    { name: 'Pending', expression: gauge('cotalker_webhook_events_pending', EVERY), look: { 'custom.width': 90 } },
    {
      name: 'Blocked',
      expression: gauge('cotalker_webhook_blocked', EVERY),
      look: {
        'custom.width': 90,
        'custom.align': 'right',
        mappings: [{ type: MappingType.ValueToText, options: { 0: { text: 'no' }, 1: { text: 'yes' } } }],
      },
    },
    {
      name: 'Failed',
      expression: webhookFailureRatio,
      look: {
        'custom.width': 170,
        'custom.cellOptions': {
          type: TableCellDisplayMode.Gauge,
          mode: BarGaugeDisplayMode.Basic,
          valueDisplayMode: BarGaugeValueMode.Text,
        },
        decimals: 0,
        max: 1,
        min: 0,
        thresholds: { mode: ThresholdsMode.Absolute, steps: steps(GOOD, [0.05, WARN], [0.5, BAD]) },
        unit: 'percentunit',
      },
    },
    {
      name: 'Failures in a row',
      expression: gauge('cotalker_webhook_consecutive_failures', EVERY),
      look: { 'custom.width': 140 },
    },
    {
      name: 'Last success',
      expression: lastSuccessAge,
      look: { 'custom.width': 120, 'custom.align': 'right', decimals: 0, noValue: 'never seen', unit: 's' },
    },
    {
      name: 'Delay, p90',
      expression: delayInRange(0.9, EVERY),
      look: {
        'custom.width': 110,
        'custom.align': 'right',
        'custom.cellOptions': { type: TableCellDisplayMode.ColorText },
        decimals: 1,
        thresholds: { mode: ThresholdsMode.Absolute, steps: steps('text', [300, BAD]) },
        unit: 's',
      },
    },
    { name: 'Receiver', field: 'target_host', expression: receiver, look: { 'custom.minWidth': 180 } },
    {
      name: 'Id',
      field: 'webhook_id',
      look: {
        'custom.minWidth': 210,
        links: [
          {
            title: "Its page at the exporter: what was lost, and what to replay",
            url: '${exporter:raw}/webhooks/${__value.text:percentencode}',
            targetBlank: true,
          },
        ],
      },
    },
  ],
});

const alerts = alertList({
  title: 'Alerts',
  description:
    "What fires now, of Grafana's own rules and of Prometheus'. Each has a runbook that says what to do. Changes of state are drawn into the panels that show what a rule watches.",
});

export const reasonColors = Object.entries(REASONS).map(([reason, { color, text }]) => fixedColor(reason, color, text));

const trends = [
  timeseries({
    title: 'Failed attempts by reason',
    description:
      'Failed attempts per minute of all webhooks, by reason, in the colours of the table. A new colour is a new problem.',
    unit: PER_MINUTE,
    alerts: ['CotalkerReceiverCertificateExpired', 'CotalkerReceiverDnsGone'],
    stacked: true,
    noValue: 'No failures',
    series: [
      ['{{reason}}', `sum by (reason) (${perMinute('cotalker_webhook_delivery_failures_total', EVERY, 'reason')}) > 0`],
    ],
    overrides: reasonColors,
  }),
  timeseries({
    title: 'Failed attempts by webhook',
    description: 'Failed attempts per minute of each webhook that has any. Curves that rise together usually have one cause.',
    unit: PER_MINUTE,
    alerts: ['CotalkerWebhookFailing'],
    stacked: true,
    noValue: 'No failures',
    series: [['{{webhook}}', `${failuresPerMinute(EVERY)} > 0`]],
  }),
  timeseries({
    title: 'Events lost by webhook',
    description:
      'Events lost per minute, of each webhook that lost any. Each has to be replayed by hand: `cotalker-webhook-exporter lost` lists them.',
    unit: PER_MINUTE,
    alerts: ['CotalkerEventLost'],
    stacked: true,
    noValue: 'No event lost',
    series: [['{{webhook}}', `${perMinute('cotalker_webhook_events_lost_total', EVERY)} > 0`]],
  }),
];

export const overview = row(
  'What is broken',
  { height: 4, panels: tiles },
  { height: 11, panels: [webhooks] },
  { height: 6, panels: [alerts] },
  { height: 8, panels: trends },
);
