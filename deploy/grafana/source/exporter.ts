import { TableCellBackgroundDisplayMode, TableCellDisplayMode, ThresholdsMode } from '@grafana/schema';
import { BAD, GOOD, READABLE, WARN } from './palette';
import { PER_MINUTE, fixedColor, row, steps, table, timeseries } from './panel';
import { ofExporters, select, type Metric } from './query';

// All of this is what each exporter does itself: unlike what they count, it may be added up over several of them.

function each(metric: Metric): string {
  return `max by (job, instance) (${select(metric)})`;
}

function perMinuteBy(label: string, metric: Metric): string {
  return `60 * sum by (${label}) (rate(${select(metric)}[$__rate_interval]))`;
}

function slowest(metric: Metric, ...labels: string[]): string {
  return `histogram_quantile(0.9, sum by (${['instance', ...labels, 'le'].join(', ')}) (rate(${select(metric)}[$__rate_interval]))) >= 0`;
}

const instance = '{{instance}}';
const reds = (from: number) => ({
  'custom.cellOptions': { type: TableCellDisplayMode.ColorText },
  thresholds: { mode: ThresholdsMode.Absolute, steps: steps('text', [from, BAD]) },
});

const seconds = { unit: 's', decimals: 0, 'custom.align': 'right' };

/** How long ago something was; nothing where it has not been yet, which is shown as 0. */
function age(metric: Metric): string {
  return `time() - (${each(metric)} > 0)`;
}

const exporters = table({
  title: 'Exporters',
  description:
    'One row per exporter that is scraped. No row: none is, and lost events go unnoticed. Last complete poll: when all logs could last be read; the status page and the log say why one could not. Last checkpoint: never means that there is no --state.path, and that a restart resets counts to 0.',
  unit: 'short',
  alerts: [
    'CotalkerExporterDown',
    'CotalkerApiUnreadable',
    'CotalkerTokenExpiresSoon',
    'CotalkerTokenExpires',
    'CotalkerWebhooksUnwatched',
    'CotalkerNothingWatched',
    'CotalkerWebConfigNotReloaded',
  ],
  noValue: 'never',
  hidden: [],
  sortBy: [{ displayName: 'Exporter' }],
  columns: [
    { name: 'Exporter', field: 'instance', look: { 'custom.minWidth': 180 } },
    { name: 'Job', field: 'job', look: { 'custom.minWidth': 120 } },
    {
      name: 'API',
      // A replica that stands by says nothing of it.
      expression: `${each('cotalker_up')} or 2 + 0 * (${each('cotalker_exporter_leader')} == 0)`,
      look: {
        'custom.width': 120,
        'custom.align': 'left',
        'custom.cellOptions': {
          type: TableCellDisplayMode.ColorBackground,
          mode: TableCellBackgroundDisplayMode.Basic,
        },
        mappings: [READABLE],
        noValue: 'not polled yet',
      },
    },
    {
      name: 'Version',
      field: 'version',
      expression: `max by (job, instance, version) (${select('cotalker_exporter_build_info')})`,
      look: { 'custom.width': 100 },
    },
    {
      name: 'Uptime',
      expression: `time() - max by (job, instance) (${ofExporters('process_start_time_seconds')})`,
      look: { ...seconds, 'custom.width': 110 },
    },
    {
      name: 'Poll interval',
      expression: each('cotalker_exporter_poll_interval_seconds'),
      look: { ...seconds, 'custom.width': 110 },
    },
    {
      name: 'Last complete poll',
      expression: age('cotalker_exporter_last_poll_success_timestamp_seconds'),
      // A replica that stands by polls every ten minutes.
      look: { ...seconds, 'custom.width': 140, ...reds(900) },
    },
    {
      name: 'Last checkpoint',
      expression: age('cotalker_exporter_state_last_write_timestamp_seconds'),
      look: { ...seconds, 'custom.width': 140 },
    },
    {
      name: 'Token expires in',
      expression: `${each('cotalker_api_token_expiry_timestamp_seconds')} - time()`,
      look: {
        ...seconds,
        'custom.width': 140,
        noValue: '–',
        'custom.cellOptions': { type: TableCellDisplayMode.ColorText },
        thresholds: { mode: ThresholdsMode.Absolute, steps: steps(BAD, [86_400, WARN], [7 * 86_400, 'text']) },
      },
    },
    {
      name: 'Webhooks',
      expression: `sum by (job, instance) (${select('cotalker_webhooks')})`,
      look: { 'custom.width': 110, noValue: '–' },
    },
    {
      name: 'Over the limit',
      expression: each('cotalker_webhooks_dropped'),
      look: { 'custom.width': 130, noValue: '–', ...reds(1) },
    },
    { name: 'Malformed', expression: each('cotalker_webhooks_malformed'), look: { 'custom.width': 110, noValue: '–', ...reds(1) } },
  ],
});

const polls = [
  timeseries({
    title: 'Polls by result',
    description:
      'Polls per minute. Partial: some log could not be read. Failed: the list could not, or its credentials were refused.',
    unit: PER_MINUTE,
    alerts: ['CotalkerApiUnreadable', 'CotalkerDataStale', 'CotalkerPollsIncomplete'],
    stacked: true,
    noValue: 'No exporter',
    series: [['{{result}}', perMinuteBy('result', 'cotalker_exporter_polls_total')]],
    overrides: [fixedColor('ok', GOOD), fixedColor('partial', WARN), fixedColor('failed', BAD)],
  }),
  timeseries({
    title: 'Duration of polls',
    description:
      'Nine of ten polls took this time or less, beside the poll interval. Above the interval, polls are skipped.',
    unit: 's',
    alerts: ['CotalkerPollsOverrun'],
    noValue: 'No poll ended',
    series: [
      ['p90 {{instance}}', slowest('cotalker_exporter_poll_duration_seconds_bucket')],
      ['interval {{instance}}', `max by (instance) (${select('cotalker_exporter_poll_interval_seconds')})`],
    ],
  }),
  timeseries({
    title: 'Polls skipped',
    description:
      'Polls per minute that did not start because the previous one was still running. Raise --poll.interval, or --poll.rate and --poll.concurrency.',
    unit: PER_MINUTE,
    alerts: ['CotalkerPollsOverrun'],
    restsAtZero: true,
    noValue: 'No exporter',
    series: [
      [instance, `60 * max by (instance) (rate(${select('cotalker_exporter_polls_skipped_total')}[$__rate_interval]))`],
    ],
  }),
];

const api = [
  timeseries({
    title: 'API calls by result',
    description:
      'Calls of the Cotalker API per minute. Not modified is good: nothing was new. Unauthorized: renew the token. Forbidden: it lacks a permission. Rate limited: poll less.',
    unit: PER_MINUTE,
    alerts: ['CotalkerApiUnauthorized', 'CotalkerApiRateLimited'],
    stacked: true,
    noValue: 'No calls',
    series: [['{{result}}', `${perMinuteBy('result', 'cotalker_api_requests_total')} > 0`]],
    overrides: [
      fixedColor('ok', GOOD),
      fixedColor('not_modified', 'light-green'),
      fixedColor('rate_limited', WARN),
      fixedColor('unauthorized', BAD),
      fixedColor('forbidden', 'dark-red'),
    ],
  }),
  timeseries({
    title: 'Duration of API calls',
    description:
      'Nine of ten calls of the Cotalker API took this time or less, by endpoint. --cotalker.timeout bounds it.',
    unit: 's',
    alerts: ['CotalkerDataStale'],
    noValue: 'No calls',
    series: [['{{endpoint}} {{instance}}', slowest('cotalker_api_request_duration_seconds_bucket', 'endpoint')]],
  }),
  timeseries({
    title: 'Bytes from the API',
    description:
      'Decompressed bytes per second of the API’s responses. Large logs cost the most: a longer --poll.interval lowers it.',
    unit: 'Bps',
    noValue: 'No calls',
    series: [[instance, `sum by (instance) (rate(${select('cotalker_api_response_bytes_total')}[$__rate_interval]))`]],
  }),
  timeseries({
    title: 'Rate limited by the API for',
    description:
      'How much longer the exporter is rate limited (Retry-After); 0 when it is not. Often above 0: poll less, or run fewer exporters.',
    unit: 's',
    alerts: ['CotalkerApiRateLimited'],
    restsAtZero: true,
    noValue: 'No exporter',
    series: [
      [
        instance,
        `clamp_min(max by (instance) (${select('cotalker_api_backoff_until_timestamp_seconds')}) - time(), 0)`,
      ],
    ],
  }),
];

const process = [
  timeseries({
    title: 'Checkpoints',
    description:
      'Writes of the checkpoint per minute. On errors fix the volume of --state.path before you restart the exporter. All 0: there is no --state.path.',
    unit: PER_MINUTE,
    alerts: ['CotalkerStateNotWritten', 'CotalkerStateLost'],
    restsAtZero: true,
    noValue: 'No exporter',
    series: [['{{result}}', perMinuteBy('result', 'cotalker_exporter_state_writes_total')]],
    overrides: [fixedColor('ok', GOOD), fixedColor('error', BAD)],
  }),
  timeseries({
    title: 'Age of the data',
    description:
      'How long ago the most stale webhook was last read, by exporter. A rising line: polls fail, and the data is stale.',
    unit: 's',
    alerts: ['CotalkerDataStale'],
    noValue: 'No webhook has been read yet',
    series: [
      [instance, `time() - min by (instance) (${select('cotalker_webhook_last_poll_success_timestamp_seconds')})`],
    ],
  }),
  timeseries({
    title: 'Memory',
    description:
      'Resident memory of the exporters. It grows with the number of webhooks, not with the size of their logs.',
    unit: 'bytes',
    noValue: 'No exporter',
    series: [[instance, `max by (instance) (${ofExporters('process_resident_memory_bytes')})`]],
  }),
  timeseries({
    title: 'CPU',
    description: 'CPU time used per second: 1 is one core.',
    unit: 'short',
    noValue: 'No exporter',
    series: [
      [
        instance,
        `max by (instance) (rate(${select('process_cpu_seconds_total')}[$__rate_interval]) and on (job, instance) ${select('cotalker_exporter_build_info')})`,
      ],
    ],
  }),
];

export const exporter = row(
  'Exporter health',
  { height: 5, panels: [exporters] },
  { height: 7, panels: polls },
  { height: 7, panels: api },
  { height: 7, panels: process },
);
