// Alerts for whoever runs a receiver. A receiver that is dead is one alert: which of the pages it is depends on how it fails,
// and what follows from it is not told again.
import { DEAD, FAILS_NOW, IN_A_ROW, NAMED_REASONS, OF_ITS_EXPORTER, REPAIRED, failsBy, holders, indent, overPods, unlessTold } from './promql';
import { REASON, withReason, wordsOf } from './reasons';
import type { Alert, Text } from './rule';

/** Losses of a quarter of an hour from which on they are a page, though the receiver still takes events. */
const MANY = 25;

const LOST = 'cotalker_webhook_events_lost_total';
const TRIED = 'cotalker_webhook_delivery_attempts_total';
const STARTED = 'process_start_time_seconds';
const JUST_STARTED = `${OF_ITS_EXPORTER} (time() - ${STARTED} < 900)`;

/** The most that was shown until 15 minutes ago, by whichever exporter and under whichever name. */
function shownBefore(metric: string): string {
  return `max by (webhook_id) (
  max_over_time(${metric}[3d:15m] offset 15m)
  or label_replace(max_over_time(${metric}[15m] offset 15m), "since", "30m", "", "")
)`;
}

function below(metric: string): string {
  return `${metric} < on (webhook_id) group_left () ${shownBefore(metric)}`;
}

/** How many events a webhook lost in the last 15 minutes. */
const LOSSES = `${overPods(holders(LOST))}
  - on (webhook_id) group_left () (
    ${indent(indent(shownBefore(LOST)))}
    or
    max by (webhook_id) (
      0 * ${LOST}
        and ${OF_ITS_EXPORTER} (time() - ${STARTED} < 900 or ${STARTED} offset 15m)
    )
  ) > 0
or
${overPods(`${holders(LOST)}
  and ${JUST_STARTED}
  and (
    ${indent(indent(below(LOST)))}
    or
    ${indent(indent(below(TRIED)))}
  )`)} > 0
or
${overPods(holders(`increase(${LOST}[15m])`))} > 0`;

const MANY_LOST = unlessTold(`${overPods(holders(`increase(${LOST}[15m])`))} >= ${MANY}`);

const LOSSES_COMMENT = `First: what is counted now, less the most that was shown until 15 minutes ago. A restart does not hide a loss so, nor
does a series that starts with it. What nobody showed then was 0, unless its exporter is older than what Prometheus
knows of it. Second: a pod that was reset in the last 15 minutes, below what was shown before. Third: all else.
Not for what was lost until a receiver that had a page was repaired. While it has one, Alertmanager inhibits this.`;

const REPLAY = `\`cotalker-webhook-exporter lost\` and the page /webhooks/{{ $labels.webhook_id }} of the exporter list what to replay by hand.`;

function share(metric: string): string {
  return overPods(holders(`increase(${metric}[15m])`));
}

const FAILED = 'cotalker_webhook_delivery_failures_total';

export const ATTEMPTS_15M = share(TRIED);
export const FAILURES_15M = overPods(holders(`sum without (reason) (increase(${FAILED}[15m]))`));

/** A page by a reason of its own. */
function namedReason(alert: string, reason: string, summary: string, description: Text): Alert {
  return {
    alert,
    comment: 'It lasts until a delivery has succeeded or failed for another reason: a quiet webhook is not a fixed one.',
    expr: `${failsBy(`="${reason}"`)}\nand ${FAILS_NOW}`,
    for: '2m',
    severity: 'page',
    scope: 'receiver',
    summary,
    reason: wordsOf(reason),
    description,
  };
}

const SAID = REASON as (value: string) => string;

export const receiverAlerts: Alert[] = [
  {
    alert: 'CotalkerEventLost',
    comment: LOSSES_COMMENT,
    expr: `(\n  ${indent(LOSSES)}\n)\nunless ${REPAIRED}`,
    // What Alertmanager inhibits.
    unlessInGrafana: `${unlessTold('')}\nunless ${MANY_LOST}`,
    severity: 'ticket',
    scope: 'receiver',
    summary: 'A webhook has lost events for good.',
    description: (value) =>
      `Webhook {{ $labels.webhook }} lost {{ printf "%.0f" ${value} }} event(s) in the last 15 minutes. Cotalker will not send them again. ${REPLAY}`,
  },
  {
    alert: 'CotalkerManyEventsLost',
    comment: 'Not for a webhook whose receiver has a page, or did within 20 minutes, or is about to have one.',
    expr: MANY_LOST,
    severity: 'page',
    scope: 'receiver',
    summary: 'A webhook has lost many events for good.',
    description: (value) =>
      `Webhook {{ $labels.webhook }} lost {{ printf "%.0f" ${value} }} events in the last 15 minutes, though its receiver takes others. Cotalker will not send them again. Find out what they have in common. ${REPLAY}`,
  },
  {
    alert: 'CotalkerWebhookBlocked',
    comment: `The receiver takes nothing, until the first success. Reasons that have an alert of their own are left to it. The value is
the reason's code.`,
    expr: withReason(`${DEAD}\nunless ${failsBy(NAMED_REASONS)}`, IN_A_ROW),
    severity: 'page',
    scope: 'receiver',
    summary: 'A webhook is blocked by an event that its receiver does not accept.',
    reason: REASON,
    description: (value) =>
      `Webhook {{ $labels.webhook }} has delivered nothing for over 5 minutes: ${SAID(value)}. Every event behind the failing one waits, and after the last retry it is lost. Fix the receiver now. ${REPLAY}`,
  },
  {
    alert: 'CotalkerWebhookFailing',
    comment: `The receiver takes some, but most attempts fail. It waits for as long as it looks back: after a receiver that was dead
took events again, this would be about the time before. The value is the reason's code.`,
    expr: withReason(`${FAILURES_15M}
  / (${ATTEMPTS_15M} >= 4) > 0.5
unless ${DEAD}
unless ${failsBy(NAMED_REASONS)}`, TRIED),
    for: '15m',
    severity: 'page',
    scope: 'receiver',
    summary: 'Most deliveries of a webhook fail.',
    reason: REASON,
    description: (value) =>
      `Most deliveries of webhook {{ $labels.webhook }} fail: ${SAID(value)}. Events are lost. Fix the receiver now. ${REPLAY}`,
  },
  namedReason(
    'CotalkerReceiverCertificateExpired',
    'certificate_expired',
    'The certificate of a receiver has expired.',
    `Deliveries of webhook {{ $labels.webhook }} fail because the receiver's certificate has expired. Renew it. Events are lost until then. ${REPLAY}`,
  ),
  namedReason(
    'CotalkerReceiverDnsGone',
    'dns',
    'The host name of a receiver does not resolve.',
    `Deliveries of webhook {{ $labels.webhook }} fail because the receiver's host name does not resolve. Fix the DNS record, or the URL of the webhook. Events are lost until then. ${REPLAY}`,
  ),
  {
    alert: 'CotalkerDeliverySlow',
    comment: 'Not for what waited behind a receiver that had a page.',
    expr: unlessTold(
      `histogram_quantile(0.9, ${overPods(holders('rate(cotalker_webhook_delivery_delay_seconds_bucket[15m])', 'le'))}) > 300
and ${share('cotalker_webhook_delivery_delay_seconds_count')} >= 4`,
    ),
    for: '10m',
    severity: 'ticket',
    scope: 'receiver',
    summary: 'Events of a webhook arrive late.',
    description: (value) =>
      `One in ten events of webhook {{ $labels.webhook }} takes {{ ${value} | humanizeDuration }} or longer from creation to delivery. Look for a slow receiver, or one that fails on the first attempt.`,
  },
  {
    alert: 'CotalkerRetriesRising',
    comment: `Quiet in the first hour and a half of a webhook or a pod: there is nothing to compare with. Not where the receiver has
a page.`,
    expr: unlessTold(
      overPods(`increase(cotalker_webhook_delivery_retries_total[30m])
  > 3 * increase(cotalker_webhook_delivery_retries_total[30m] offset 1h) + 5`),
    ),
    severity: 'info',
    scope: 'receiver',
    summary: 'A webhook needs many more retries than an hour ago.',
    description: (value) =>
      `Webhook {{ $labels.webhook }} needed {{ printf "%.0f" ${value} }} retries in 30 minutes, over three times as many as an hour before. The receiver is degrading. Look at it before events are lost.`,
  },
];
