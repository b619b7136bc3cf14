// deploy/prometheus/rules.yml: for Prometheus, Mimir, Thanos and vmalert.
import { annotations, labels } from './texts';
import { alerts, recordings } from './rules';
import type { Alert, Recording } from './rule';

const HEAD = `# Written by scripts/test-dashboard --write, from deploy/grafana/source/alerting.
#
# Alerts and recording rules for cotalker-webhook-exporter. Safe with several pods of one exporter: the maximum, never the
# sum, of what each of them counts; and what a pod shows that can no longer read the API is stale, and does not override a
# newer one. Only the labels in which pods of one exporter differ are aggregated away. No rule reads ALERTS or another rule.
# Ranges of days have a step ([1d:5m]): ten thousand webhooks would be too many samples otherwise.
# Tested: promtool test rules rules*_test.yml
# Severities, scopes and who acts: docs/alerts.md
`;

const VALUE = '$value';

function block(key: string, text: string): string[] {
  if (!text.includes('\n') && text.length < 110 && !/: | #/.test(text) && !/^[[{"'*&!|>%@\`]/.test(text)) {
    return [`        ${key}: ${text}`];
  }
  return [`        ${key}: |-`, ...text.split('\n').map((line) => `          ${line}`)];
}

/** A template in a folded block, so that nothing in it has to be quoted. */
function folded(key: string, text: string): string[] {
  return /[{:]|^"/.test(text) ? [`          ${key}: >-`, `            ${text}`] : [`          ${key}: ${text}`];
}

function recording({ record, expr }: Recording): string[] {
  return [`      - record: ${record}`, ...block('expr', expr)];
}

function alert(rule: Alert): string[] {
  const texts = annotations(rule, VALUE);
  return [
    `      - alert: ${rule.alert}`,
    ...(rule.comment ?? '').split('\n').flatMap((line) => (line ? [`        # ${line}`] : [])),
    ...block('expr', rule.expr),
    ...(rule.for ? [`        for: ${rule.for}`] : []),
    '        labels:',
    ...Object.entries(labels(rule)).map(([name, value]) => `          ${name}: ${value}`),
    '        annotations:',
    ...Object.entries(texts).flatMap(([name, text]) =>
      name === 'runbook_url' ? [`          ${name}: ${text}`] : folded(name, text),
    ),
  ];
}

const ALERTS = ['  - name: cotalker-webhook-alerts', '    rules:', ...alerts.flatMap(alert)];

export function rulesFile(): string {
  const recorded = ['  - name: cotalker-webhook-recordings', '    rules:', ...recordings.flatMap(recording)];
  return `${[`${HEAD}groups:`, ...recorded, ...ALERTS].join('\n')}\n`;
}

/** For vmalert without a remote write, which does not start with a recording rule. */
export function alertsFile(): string {
  const head = `${HEAD}# This is rules.yml without the recording rules: for vmalert without -remoteWrite.url, which refuses them.\n`;
  return `${[`${head}groups:`, ...ALERTS].join('\n')}\n`;
}
