// PromQL that stays true with several exporters of one account: each of them shows the same counts, so what they count is
// taken by `max by`, and only then added up over webhooks. Sums come first only over labels within one exporter.

/** Which webhooks a query reads: all that the exporters watch, or those chosen in the variable `webhook`. */
export type Scope = '' | 'webhook=~"$webhook"';
export const EVERY: Scope = '';
export const CHOSEN: Scope = 'webhook=~"$webhook"';

export type Metric = `cotalker_${string}` | `process_${string}`;

const IDENTITY = 'webhook_id, webhook';

/** A metric of the exporters chosen in the variables `account`, `job` and `instance`. */
export function select(metric: Metric, ...matchers: string[]): string {
  return `${metric}{${['account=~"$account"', 'job=~"$job"', 'instance=~"$instance"', ...matchers].filter(Boolean).join(', ')}}`;
}

/** One series per webhook, whatever number of exporters shows it. */
export function perWebhook(expression: string, ...labels: string[]): string {
  return `max by (${[IDENTITY, ...labels].join(', ')}) (${expression})`;
}

const READ_AT = 'cotalker_webhook_last_poll_success_timestamp_seconds';
const ACTIVE = 'cotalker_webhook_active';

// What an exporter cannot read stands still on its page, so that of several exporters the one that knows best has the word
// on a webhook. There always is one, however old what it knows is: a webhook that nobody can read keeps its counts.

/** What a log tells: of the exporter that read it last. One that never did knows it from no time. */
export function byLog(expression: string, scope: Scope): string {
  const readAt = `${select(READ_AT, scope)} or 0 * ${select(ACTIVE, scope)}`;
  return `${expression} and on (webhook_id, job, instance) topk by (webhook_id) (1, ${readAt})`;
}

/**
 * What the list tells: of the exporter that could read it most of the time. When it was last read no metric says; ten
 * minutes are what CotalkerApiUnreadable waits.
 */
export function byList(expression: string, scope: Scope): string {
  const readable = `max by (job, instance) (avg_over_time(${select('cotalker_up')}[10m]))`;
  const ofEach = `0 * ${select(ACTIVE, scope)} + on (job, instance) group_left () ${readable}`;
  return `${expression} and on (webhook_id, job, instance) topk by (webhook_id) (1, ${ofEach})`;
}

/** What the log of each webhook says now. */
export function gauge(metric: Metric, scope: Scope, ...labels: string[]): string {
  return perWebhook(byLog(select(metric, scope), scope), ...labels);
}

/**
 * Without those that stood by of late: they poll now and then, and what they count comes in heaps, as does what is new to one
 * that has just taken over.
 */
function steady(rate: string): string {
  return `${rate} unless on (job, instance) min_over_time(${select('cotalker_exporter_leader')}[$__rate_interval]) == 0`;
}

/** A rate per minute, for the rare things that webhooks do. Whatever the zoom, the height of a curve means the same. */
export function perMinute(metric: Metric, scope: Scope, ...labels: string[]): string {
  return `60 * ${perWebhook(steady(`rate(${select(metric, scope)}[$__rate_interval])`), ...labels)}`;
}

/**
 * By how much counts rose within the shown range, whichever exporters counted: a pod that replaces another goes on from its
 * count, or, without state, is a reset. Each step takes the highest until the next, so that the newest, which has not ended,
 * has all until now, and that scrapes which are missed and resets between steps hide nothing.
 */
function rise(counts: (highest: string) => string, metric: Metric, scope: Scope, ...labels: string[]): string {
  const highest = `max_over_time(${select(metric, scope)}[$__rate_interval] offset -$__interval)`;
  return `increase(${perWebhook(counts(highest), ...labels)}[$__range:$__interval])`;
}

const asTheyAre = (counts: string) => counts;
const ofAllReasons = (counts: string) => `sum without (reason) (${counts})`;

/** Whole events within the shown range: `increase` extrapolates to fractions. */
export function inRange(metric: Metric, scope: Scope): string {
  return `round(${rise(asTheyAre, metric, scope)})`;
}

const ATTEMPTS = 'cotalker_webhook_delivery_attempts_total';
const FAILURES = 'cotalker_webhook_delivery_failures_total';
const DELAY = 'cotalker_webhook_delivery_delay_seconds_bucket';

export function failuresInRange(scope: Scope): string {
  return rise(ofAllReasons, FAILURES, scope);
}

export function attemptsInRange(scope: Scope): string {
  return rise(asTheyAre, ATTEMPTS, scope);
}

export function failuresPerMinute(scope: Scope): string {
  return `60 * ${perWebhook(steady(ofAllReasons(`rate(${select(FAILURES, scope)}[$__rate_interval])`)))}`;
}

/**
 * A quantile of the delay; nothing, rather than NaN, where nothing was delivered. It is a sample, not a count, and has many
 * buckets: it is worth no subquery, and after a pod is replaced it is mostly of the one that saw more.
 */
export function delayInRange(quantile: number, scope: Scope): string {
  return `histogram_quantile(${quantile}, ${perWebhook(`increase(${select(DELAY, scope)}[$__range])`, 'le')}) >= 0`;
}

/** The same over all of the webhooks together. */
export function delayOverall(quantile: number, scope: Scope, window: 'increase' | 'rate'): string {
  const range = window === 'increase' ? '$__range' : '$__rate_interval';
  const counted = `${window}(${select(DELAY, scope)}[${range}])`;
  const buckets = perWebhook(window === 'rate' ? steady(counted) : counted, 'le');
  return `histogram_quantile(${quantile}, sum by (le) (${buckets})) >= 0`;
}

/** The reason of most of a webhook's failures in the range. */
export function mainReason(scope: Scope): string {
  return `topk by (${IDENTITY}) (1, ${rise(asTheyAre, FAILURES, scope, 'reason')} > 0)`;
}

/** Whether each webhook is switched on. */
function active(scope: Scope): string {
  return perWebhook(byList(select(ACTIVE, scope), scope));
}

/** How a webhook stands now, see STATES; the first that fits. Nothing of it depends on the shown range. */
export function state(scope: Scope): string {
  const inARow = select('cotalker_webhook_consecutive_failures', scope);
  const blocked = select('cotalker_webhook_blocked', scope);
  const deliveries = [
    `(${inARow} >= ${WHOLE_EVENT}) * 0 + ${STATES.broken}`,
    `(${blocked} == 1) * 0 + ${STATES.blocked}`,
    `(${inARow} > 0) * 0 + ${STATES.failing}`,
    `${inARow} * 0 + ${STATES.ok}`,
  ].join('\nor ');
  return `(${active(scope)} == 0) * 0 + ${STATES.off}\nor ${perWebhook(byLog(`(\n${deliveries}\n)`, scope))}`;
}

/** Webhooks in a state; 0 where there are none, so that a tile says so. */
export function countInState(wanted: number, scope: Scope): string {
  return `count((${state(scope)}) == ${wanted}) or vector(0)`;
}

/** Failed attempts after which an event is lost: one, and the three retries that --webhook.max-retries has by itself. */
export const WHOLE_EVENT = 4;

/** The worst is the highest, so that a table sorts by it. */
export const STATES = { ok: 0, off: 1, failing: 2, blocked: 3, broken: 4 } as const;

/** A metric that every process has, of the exporters alone: the variables' All takes in each job that Prometheus knows. */
export function ofExporters(metric: Metric): string {
  return `${select(metric)} and on (job, instance) ${select('cotalker_exporter_build_info')}`;
}
