// All rules, in the order of the runbooks.
import { operationAlerts, reachAlerts, watchAlerts } from './exporters';
import { ATTEMPTS_15M, FAILURES_15M, receiverAlerts } from './receivers';
import type { Alert, Recording } from './rule';
import { accountAlerts, logAlerts, staleAlert, unreadableLogAlert } from './webhooks';

export const alerts: Alert[] = [
  ...receiverAlerts,
  ...accountAlerts,
  ...logAlerts,
  ...reachAlerts,
  staleAlert,
  ...operationAlerts,
  unreadableLogAlert,
  ...watchAlerts,
];

/** For dashboards of the users' own; no alert reads them. */
export const recordings: Recording[] = [
  { record: 'cotalker_webhook:delivery_attempts:increase15m', expr: ATTEMPTS_15M },
  { record: 'cotalker_webhook:delivery_failures:increase15m', expr: FAILURES_15M },
  { record: 'cotalker_webhook:delivery_failures:ratio15m', expr: `${FAILURES_15M}\n/ (${ATTEMPTS_15M} > 0)` },
];
