// How alerts become messages, for Grafana and for Alertmanager alike.
import type { Scope, Severity } from './rule';

export const FOLDER = 'Cotalker';
export const GROUP = 'cotalker-webhook-alerts';
export const RECEIVERS = { page: 'cotalker-page', ticket: 'cotalker-ticket' } as const;
/** The example of a mute timing: tickets wait for the morning. */
export const MUTED = 'cotalker-outside-working-hours';
/** What nobody is told: it is for whoever looks. */
export const ALWAYS_MUTED = 'cotalker-always';

export const WORKING_DAY = { from: '08:00', to: '18:00' };
const WEEKDAYS = ['monday:friday'];

/** When no ticket is sent: at weekends, and on working days before and after work. */
export const OUTSIDE_WORKING_HOURS = [
  { weekdays: ['saturday', 'sunday'] },
  { weekdays: WEEKDAYS, times: [{ start_time: '00:00', end_time: WORKING_DAY.from }] },
  { weekdays: WEEKDAYS, times: [{ start_time: WORKING_DAY.to, end_time: '24:00' }] },
];
export const ALWAYS = [{ times: [{ start_time: '00:00', end_time: '24:00' }] }];

/** Labels that tell exporters apart. */
export const EXPORTER = ['cluster', 'namespace', 'account', 'job'];

/** One group is one message: a webhook's receiver, or an exporter. */
export function groupBy(scope: Scope): string[] {
  return scope === 'receiver' ? [...EXPORTER, 'webhook_id', 'webhook'] : EXPORTER;
}

export interface Timing {
  group_wait: string;
  group_interval: string;
  repeat_interval: string;
}

/**
 * Tickets wait for longer than it takes until a receiver that is dead has a page, which inhibits what follows from it: five
 * minutes without a success, a poll, a scrape, an evaluation.
 */
export const TIMING: Record<'page' | 'ticket', Timing> = {
  page: { group_wait: '30s', group_interval: '5m', repeat_interval: '4h' },
  ticket: { group_wait: '10m', group_interval: '30m', repeat_interval: '1d' },
};

export const SEVERITIES: Severity[] = ['page', 'ticket', 'info'];

/** Alerts of which each says all that there is to say of a receiver. */
export const PAGES = [
  'CotalkerReceiverCertificateExpired',
  'CotalkerReceiverDnsGone',
  'CotalkerWebhookBlocked',
  'CotalkerWebhookFailing',
];
export const CONSEQUENCES = ['CotalkerEventLost', 'CotalkerManyEventsLost', 'CotalkerDeliverySlow', 'CotalkerRetriesRising'];
export const OUTAGES = ['CotalkerApiUnreadable', 'CotalkerApiUnauthorized', 'CotalkerExporterDown'];

/**
 * The text of a message: webhook, reason, what to do, runbook. Grafana reads `$` in its files as a variable of the
 * environment, so that the template has none.
 */
export const TEMPLATE = `{{ define "cotalker.title" -}}
{{ if eq .Status "firing" }}{{ with .CommonLabels.severity }}{{ . }}: {{ end }}{{ else }}Resolved: {{ end }}
{{- with .CommonLabels.webhook }}{{ . }}: {{ end }}
{{- with .CommonAnnotations.reason }}{{ . }}{{ else }}{{ with .CommonAnnotations.summary }}{{ . }}{{ else }}{{ len .Alerts }} alerts of Cotalker's webhooks{{ end }}{{ end }}
{{- end }}
{{ define "cotalker.message" -}}
{{ range .Alerts }}{{ if eq .Status "resolved" }}Resolved: {{ end }}
{{- with .Labels.webhook }}{{ . }}: {{ end }}{{ with .Annotations.reason }}{{ . }}{{ else }}{{ .Annotations.summary }}{{ end }}
{{ if eq .Status "firing" }}{{ .Annotations.description }}
{{ else }}What was lost until then has to be replayed by hand.
{{ end }}{{ with .Annotations.runbook_url }}Runbook: {{ . }}
{{ end }}
{{ end }}{{ end }}
`;
