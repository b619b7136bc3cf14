// PromQL of the alerts. No expression reads ALERTS or a recording rule, so that Prometheus, Mimir, Thanos, vmalert without a
// remote write and Grafana, which keep neither or not at once, say the same.

/**
 * In what the pods of one exporter differ: replicas, those before and after a rollout, and shards. All other labels of a
 * target stay on the alert, because they route it and tell accounts apart: namespace, cluster, job, account, team.
 * Sources: the Prometheus operator's promcfg.go (instance, pod, node), the chart (shard), and the pods' labels that
 * Kubernetes' controllers set, which the scrape job "kubernetes-pods" of the community's chart copies.
 */
export const REPLICA = 'instance, pod, node, shard, pod_template_hash, controller_revision_hash';

const WEBHOOK = 'webhook_id, webhook';

/** Lines that follow the first are indented, so that they stand within a bracket. */
export function indent(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

function bracket(text: string): string {
  return text.includes('\n') ? `(\n  ${indent(text)}\n)` : `(${text})`;
}

/** The highest over the pods of one exporter. Each of them counts the same: never the sum. */
export function overPods(expression: string, ...labels: string[]): string {
  return `max without (${[REPLICA, ...labels].join(', ')}) ${bracket(expression)}`;
}

/** What an exporter says of itself belongs to each of its webhooks. */
export const OF_ITS_EXPORTER = `ignoring (${WEBHOOK})`;

/** Another pod of the same exporter, whatever webhooks it shows. */
export const OF_THE_SAME_EXPORTER = `ignoring (${REPLICA}, ${WEBHOOK})`;

/**
 * Without those that have stood by for a quarter of an hour: what they count lags, and tells late what their holder has told.
 * One that held the Lease until now has the newest counts until the next has polled.
 */
export function holders(expression: string, ...labels: string[]): string {
  return `${expression}\nunless ignoring (${[WEBHOOK, ...labels].join(', ')}) max_over_time(cotalker_exporter_leader[15m]) == 0`;
}

const READS_NOW = 'cotalker_webhook_up == 1';

/**
 * For how long what was read last stands for what is so now: until CotalkerApiUnreadable, CotalkerExporterDown or
 * CotalkerDataStale says that nobody knows. A poll that fails, a restart and a hand-over end no alert so.
 */
export const HELD = '20m';

/**
 * Whose word on a webhook counts: the pods that read its log now; only if there is none, those that did within HELD. What
 * stands still on a page that can no longer read the API is not shown for what is so.
 */
const TRUSTED = `(${READS_NOW} or max_over_time(cotalker_webhook_up[${HELD}]) == 1 unless ignoring (${REPLICA}) ${READS_NOW})`;

/** What the pods say whose word counts; of several the highest. */
export function trusted(expression: string): string {
  const whole = /\b(or|and|unless)\b/.test(expression) ? bracket(expression) : expression;
  return overPods(`${whole}\nand ${TRUSTED}`);
}

export const IN_A_ROW = 'cotalker_webhook_consecutive_failures';

/** The newest attempt failed. It ends with the first success. */
export const FAILS_NOW = `${trusted(`last_over_time(${IN_A_ROW}[${HELD}])`)} > 0`;

/** What was read: a process that has just started shows 0 until then, and what stands still while a log cannot be read is no news. */
const KNOWN = `(${IN_A_ROW} and ${READS_NOW})`;

const READ_AT = 'cotalker_webhook_last_poll_success_timestamp_seconds';

/** Those who read the log now, and have read it again within so long. */
function readWithin(range: string): string {
  return `${READS_NOW} unless changes(${READ_AT}[${range}]) == 0`;
}

/**
 * How many attempts have failed in a row, at least, since so long ago, by those who have read the log again meanwhile: nothing
 * if one was delivered, seen or, between two polls, unseen.
 */
function failedFor(range: string): string {
  return `min_over_time(${KNOWN}[${range}:30s])
unless changes(cotalker_webhook_last_success_timestamp_seconds[${range}]) > 0
and (${readWithin(range)})`;
}

/** The same, or, if nobody has read the log of late, as it was when somebody last had. */
const FAILED_LATELY = overPods(`(
  ${indent(failedFor('5m'))}
)
or last_over_time((
  ${indent(failedFor('5m'))}
)[${HELD}:1m]) unless ignoring (${REPLICA}) (${readWithin('5m')})`);

/** Failed attempts after which an event is lost: one, and the three retries of --webhook.max-retries. */
const WHOLE_EVENT = 4;

/**
 * A receiver that takes nothing: for five minutes each attempt has failed, and an event waits to be sent again, or one was
 * lost. Where logs have only the last attempt of each event, nothing ever waits. Once it is so it remains so until the first
 * success, whether the next event comes at once or tomorrow: had it two names, one dead receiver would be told of twice.
 * The second part is for a pod that has just started: what it shows may be a minute old.
 */
export const DEAD = `(
  ${indent(FAILED_LATELY)} >= 1
  and ${overPods(`last_over_time(${IN_A_ROW}[${HELD}] offset 5m)`)} >= 1
  and (
    ${overPods(`last_over_time(${IN_A_ROW}[${HELD}])`)} >= ${WHOLE_EVENT}
    or ${overPods('max_over_time(cotalker_webhook_blocked[6h:5m])')} == 1
  )
)`;

function failing(reason: string): string {
  return `cotalker_webhook_failing{reason${reason}}`;
}

/** The reason of the newest attempt, if it failed. The metric is gone while the log cannot be read: it then stands, as above. */
export function failsBy(reason: string): string {
  const now = `last_over_time(${failing(reason)}[5m])`;
  const held = `last_over_time(${failing(reason)}[${HELD}]) unless ignoring (reason) ${READS_NOW}`;
  return overPods(`(
  ${now}
  or ${held}
)
and ignoring (reason) ${TRUSTED}`, 'reason');
}

/** The reasons that have an alert of their own. */
export const NAMED_REASONS = '=~"certificate_expired|dns"';

/** Within 20 minutes nothing was delivered for seven: time enough for a page to have been sent. */
const WAS_DEAD = `max_over_time((
  ${indent(failedFor('7m'))}
  and ${IN_A_ROW} offset 7m
)[20m:1m]) >= 1`;

/**
 * A page told of the receiver until it took an event again. Losses of then are no news. Where no page can have been sent, or
 * nothing was delivered since, this is silent: rather twice than never.
 */
export const REPAIRED = trusted(`${WAS_DEAD}
and ${KNOWN} < max_over_time(${KNOWN}[20m:1m])`);

/** A page tells of the receiver, did within 20 minutes, or is about to: no success has followed the newest lost event. */
const TOLD = trusted(`last_over_time(${IN_A_ROW}[${HELD}]) >= ${WHOLE_EVENT}
or ${WAS_DEAD}`);

/** Without the webhooks whose receiver has a page. */
export function unlessTold(expression: string): string {
  return `${expression}\nunless ${TOLD}`;
}
