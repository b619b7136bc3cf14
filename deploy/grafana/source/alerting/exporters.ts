// Alerts for whoever runs the exporter.
import { OF_ITS_EXPORTER, REPLICA, indent, overPods } from './promql';
import type { Alert } from './rule';

const BUILD = ['version', 'revision', 'rustc'];
const INFO = 'cotalker_exporter_build_info';
const ACTIVE = 'cotalker_webhook_active';
/** A standby shows it, too, and reads once nobody else does. */
const COUNT = 'cotalker_webhook_delivery_attempts_total';
const COUNTED = `max_over_time(${COUNT}[7d:30m])`;

/** A target that does not respond and was an exporter. */
const TARGET_DOWN = `up == 0 and ignoring (${BUILD.join(', ')}) max_over_time(${INFO}[7d:30m])`;

const DOWN = `(
  ${TARGET_DOWN}
  unless (
    up == 0 and ${OF_ITS_EXPORTER} ${COUNTED}
    unless ${OF_ITS_EXPORTER} (${COUNTED} unless on (webhook_id) ${COUNT})
  )
)
or
(
  ${indent(overPods(`max_over_time(${INFO}[1d:5m])`, ...BUILD))}
  unless ${indent(overPods(INFO, ...BUILD))}
  unless ${indent(overPods(TARGET_DOWN))}
  and ${indent(overPods(`max_over_time(${ACTIVE}[1d:5m]) unless on (webhook_id) ${ACTIVE}`, 'webhook_id', 'webhook'))}
)`;

const REQUESTS = 'cotalker_api_requests_total';
/** `endpoint` is the exporter's own; where the operator enforces `honorLabels: false` it is called otherwise. */
const OF_CALLS = 'endpoint, exported_endpoint, result';

/** The range bridges the time until CotalkerExporterDown says that nobody knows. */
const LIST = 'last_over_time(cotalker_up[10m])';

const REFUSED = `sum without (${OF_CALLS}) (increase(${REQUESTS}{result=~"unauthorized|forbidden"}[30m])) > 0
and ${LIST} == 0`;

const UNREADABLE = `(
  ${indent(overPods(LIST))} == 0
  or
  ${indent(
    overPods(`${LIST} == 0 and ${OF_ITS_EXPORTER} (
  ${ACTIVE} unless on (webhook_id) (max_over_time(${ACTIVE}[1d:5m]) and ${OF_ITS_EXPORTER} cotalker_up == 1)
)`),
  )}
)
unless ${overPods(REFUSED)}`;

function none(metric: string, bad: string, good: string, range: string): string {
  return `sum without (result) (increase(${metric}{result="${bad}"}[${range}])) > 0
unless sum without (result) (increase(${metric}{result="${good}"}[${range}])) > 0`;
}

const DAY = 86_400;

/**
 * For how much longer the token is valid, of one that nobody renews: neither a login nor whatever writes the file, which
 * would have done so within a time as long as this warns ahead.
 */
function expires(within: number, range: string): string {
  const expiry = `min without (${REPLICA}) (cotalker_api_token_expiry_timestamp_seconds)`;
  return `${expiry} - time() < ${within}
unless changes((${expiry})[${range}:1h]) > 0
unless ${overPods(`sum without (${OF_CALLS}) (${REQUESTS}{endpoint="login"} or ${REQUESTS}{exported_endpoint="login"})`)} > 0`;
}

export const reachAlerts: Alert[] = [
  {
    alert: 'CotalkerExporterDown',
    comment: `A target that was an exporter within a week, unless others show all of its webhooks; or an exporter that was scraped
within a day, has no target any more, and whose webhooks no other shows. A Prometheus that never scraped one says nothing.`,
    expr: DOWN,
    for: '5m',
    severity: 'page',
    scope: 'exporter',
    summary: 'A Cotalker webhook exporter is not scraped.',
    description:
      'Exporter {{ with $labels.instance }}{{ . }}{{ else }}{{ $labels.job }}{{ end }} has not been scraped for 5 minutes. Lost events go unnoticed. Check that it runs and that Prometheus can reach it.',
  },
  {
    alert: 'CotalkerApiUnreadable',
    comment: `No pod of an exporter can read the list; or one cannot, and it shows a webhook that none shows which can: it has an account
of its own. Where the credentials are refused, CotalkerApiUnauthorized says so.`,
    expr: UNREADABLE,
    for: '10m',
    severity: 'page',
    scope: 'exporter',
    summary: 'The Cotalker API cannot be read.',
    description:
      "Exporter {{ $labels.job }} has not read the list of webhooks for 10 minutes, and all data is stale. The exporter's log and its status page say why.",
  },
  {
    alert: 'CotalkerApiUnauthorized',
    comment: 'Neither a token that expired and was renewed by a login, nor a single log that may not be read, is a reason to alert.',
    expr: REFUSED,
    for: '5m',
    severity: 'page',
    scope: 'exporter',
    summary: "The Cotalker API refuses the exporter's credentials.",
    description:
      'The API responds to exporter {{ $labels.instance }} with 401 or 403, and nothing can be read. Renew the token or the password, and check the permissions of the account.',
  },
  {
    alert: 'CotalkerTokenExpiresSoon',
    comment: 'Long enough for a holiday. Not for a token that is renewed by itself. From a day on, CotalkerTokenExpires says so.',
    expr: `${expires(7 * DAY, '7d')}\nunless min without (${REPLICA}) (cotalker_api_token_expiry_timestamp_seconds) - time() < ${DAY}`,
    for: '15m',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'The API token expires within a week.',
    description: (value) =>
      `The token of exporter {{ $labels.job }} expires in {{ ${value} | humanizeDuration }}, and then no data can be read. Put a new token into --cotalker.token-file; the exporter reads it without a restart.`,
  },
  {
    alert: 'CotalkerTokenExpires',
    comment: 'Within a day, or it has. Once the API refuses it, CotalkerApiUnauthorized says so.',
    expr: expires(DAY, '1d'),
    for: '15m',
    severity: 'page',
    scope: 'exporter',
    summary: 'The API token expires within a day, or has expired.',
    description: (value) =>
      `The token of exporter {{ $labels.job }} {{ if gt ${value} 0.0 }}expires in {{ ${value} | humanizeDuration }}, and then{{ else }}has expired, and{{ end }} no data can be read. Put a new token into --cotalker.token-file now; the exporter reads it without a restart.`,
  },
  {
    alert: 'CotalkerApiRateLimited',
    expr: `${overPods(`sum without (${OF_CALLS}) (increase(${REQUESTS}{result="rate_limited"}[15m]))`)} > 0`,
    for: '20m',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'The Cotalker API rate-limits the exporter.',
    description:
      'The API responds with 429 again and again. Lower --poll.rate, raise --poll.interval, or run fewer exporters.',
  },
];

export const operationAlerts: Alert[] = [
  {
    alert: 'CotalkerPollsOverrun',
    expr: 'increase(cotalker_exporter_polls_skipped_total[30m]) > 3',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'Polls take longer than the interval between them.',
    description:
      'Exporter {{ $labels.instance }} skipped polls because the previous ones were still running. Raise --poll.interval, or --poll.rate and --poll.concurrency.',
  },
  {
    alert: 'CotalkerStateNotWritten',
    expr: none('cotalker_exporter_state_writes_total', 'error', 'ok', '15m'),
    for: '10m',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'The exporter cannot write its checkpoint.',
    description:
      "Exporter {{ $labels.instance }} cannot write to --state.path. A restart would reset counts to the last checkpoint. Check the volume's space and permissions.",
  },
  {
    alert: 'CotalkerStateLost',
    expr: `cotalker_exporter_state_recoveries_total > 0
and time() - process_start_time_seconds < 3600`,
    severity: 'ticket',
    scope: 'exporter',
    summary: 'The exporter found a checkpoint that it could not read.',
    description:
      'Exporter {{ $labels.instance }} started within the last hour and put a damaged checkpoint aside. Its log says what it resumed from. Lost events in between may not be counted.',
  },
  {
    alert: 'CotalkerWebhooksUnwatched',
    expr: `${overPods('cotalker_webhooks_dropped')} > 0
or ${overPods('cotalker_webhooks_malformed')} > 0`,
    for: '15m',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'There are webhooks that the exporter does not watch.',
    description: (value) =>
      `{{ ${value} }} webhook(s) are not watched. Raise --webhook.limit, or look in the exporter's log for malformed entries of the list.`,
  },
];

export const watchAlerts: Alert[] = [
  {
    alert: 'CotalkerNothingWatched',
    expr: 'sum without (state) (cotalker_webhooks) == 0 and cotalker_up == 1',
    for: '15m',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'An exporter watches no webhook.',
    description:
      'Exporter {{ $labels.instance }} can read the API but finds no webhook to watch. Check --cotalker.company, --webhook.include, --webhook.exclude and the permissions of the token.',
  },
  {
    alert: 'CotalkerPollsIncomplete',
    expr: none('cotalker_exporter_polls_total', 'partial', 'ok', '30m'),
    for: '15m',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'No poll of an exporter has been complete.',
    description:
      'Each poll of exporter {{ $labels.instance }} in the last 30 minutes failed to read something, such as a log or a --webhook.id that does not exist. Its status page and its log say what.',
  },
  {
    alert: 'CotalkerWebConfigNotReloaded',
    expr: 'sum without (result) (increase(cotalker_exporter_web_config_reloads_total{result="error"}[1h])) > 0',
    severity: 'ticket',
    scope: 'exporter',
    summary: 'A changed web configuration is not in force.',
    description:
      'Exporter {{ $labels.instance }} cannot use the changed --web.config.file, or a file that it names, and keeps the previous one. A certificate in it may expire. Its log says why.',
  },
];
