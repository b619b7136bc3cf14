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

const READ = 'max_over_time(cotalker_webhook_up[10m])';

/**
 * Whose word on a webhook counts: the pods that have read its log of late, and if none has, all. What stands still on a page
 * that can no longer read the API overrides no newer one, and an outage of the API is no recovery.
 */
const TRUSTED = `(${READ} == 1 or ${READ} unless ignoring (${REPLICA}) (${READ} == 1))`;

/** What the pods say whose word counts; of several the highest. */
export function trusted(expression: string): string {
  const whole = /\b(or|and|unless)\b/.test(expression) ? bracket(expression) : expression;
  return overPods(`${whole}\nand ${TRUSTED}`);
}

/** The same of an expression with the label `reason`. */
function trustedReasons(expression: string): string {
  return overPods(`${bracket(expression)}\nand ignoring (reason) ${TRUSTED}`, 'reason');
}

const IN_A_ROW = 'cotalker_webhook_consecutive_failures';
const BLOCKED = 'cotalker_webhook_blocked';

/** The newest attempt failed. The range bridges scrapes that fail. It ends with the first success. */
export const FAILS_NOW = `${trusted(`last_over_time(${IN_A_ROW}[15m])`)} > 0`;

/**
 * An event has waited most of the time. Not all of it: between two events that fail nothing is blocked for a moment. The second
 * part is for what has just appeared: a single failed attempt would be all of its time.
 */
export const BLOCKED_MOSTLY = `${trusted(`avg_over_time(${BLOCKED}[10m])`)} > 0.5
and ${overPods(`last_over_time(${BLOCKED}[10m] offset 5m)`)} >= 0`;

/** Failed attempts after which an event is lost: one, and the three retries of --webhook.max-retries. */
const WHOLE_EVENT = 4;

/**
 * At least one event was lost, and nothing has been delivered since, for five minutes. The second part is for a pod that has
 * just started: what it shows may be a minute old.
 */
export const BROKEN = `${trusted(`min_over_time(${IN_A_ROW}[5m])`)} >= ${WHOLE_EVENT}
and ${overPods(`last_over_time(${IN_A_ROW}[10m] offset 5m)`)} >= ${WHOLE_EVENT}`;

function failing(reason: string): string {
  return `cotalker_webhook_failing{reason${reason}}`;
}

/**
 * The reason of the newest attempt, if it failed. The metric is gone while the log cannot be read, and an outage of the API
 * is no recovery: the reason then stays, for six hours at most.
 */
export function failsBy(reason: string): string {
  return trustedReasons(
    `last_over_time(${failing(reason)}[5m])\nor last_over_time(${failing(reason)}[6h]) and ignoring (reason) cotalker_webhook_up == 0`,
  );
}

/** The reasons that have an alert of their own. */
export const NAMED_REASONS = '=~"certificate_expired|dns"';

/**
 * A page tells of a webhook's receiver, or did within 20 minutes, or is about to: it is too early to tell a single lost event
 * from a broken receiver. What follows from that is no further message: losses, retries, late deliveries. The conditions are
 * those of the pages. Ranges have a step of two minutes: ten thousand webhooks would be too many samples otherwise.
 */
const TOLD = overPods(
  `(
  max_over_time(
    (
      (avg_over_time(${BLOCKED}[10m]) > 0.5 or min_over_time(${IN_A_ROW}[5m]) >= ${WHOLE_EVENT})
      and last_over_time(${BLOCKED}[10m] offset 5m)
    )[20m:2m]
  )
  or last_over_time(${IN_A_ROW}[15m]) >= ${WHOLE_EVENT}
)
and ${TRUSTED}`,
);
const TOLD_BY_REASON = overPods(
  `max_over_time((${failing(NAMED_REASONS)} and ${failing(NAMED_REASONS)} offset 2m)[20m:2m])`,
  'reason',
);

/** Without the webhooks whose receiver has a page. */
export function unlessTold(expression: string): string {
  return `${expression}\nunless ${TOLD}\nunless ${TOLD_BY_REASON}`;
}
