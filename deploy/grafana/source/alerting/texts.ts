// What an alert carries beside its expression, in each form the same.
import type { Alert, Text } from './rule';

export const RUNBOOKS =
  'https://github.com/cotalker-webhook-exporter/cotalker-webhook-exporter/blob/main/docs/runbooks.md';

function say(text: Text, value: string): string {
  return typeof text === 'string' ? text : text(value);
}

export function labels({ severity, scope }: Alert): Record<string, string> {
  return { severity, scope };
}

/** `value` is the template's name for the number that the expression gave. */
export function annotations(rule: Alert, value: string): Record<string, string> {
  return {
    summary: rule.summary,
    ...(rule.reason === undefined ? {} : { reason: say(rule.reason, value) }),
    description: say(rule.description, value),
    runbook_url: `${RUNBOOKS}#${rule.alert.toLowerCase()}`,
  };
}
