// The committed files of the alerts as literals with the types of those who read them: tsc then refuses an unknown field, a
// missing one and a wrong value, as the API server, Grafana and the Terraform provider would.
import { readFileSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { setting } from './stack';

function read(path: string): string {
  return readFileSync(`${setting('DEPLOY')}/${path}`, 'utf8');
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Renames keys, but not those of labels, annotations, models and what the types leave open. */
export function renamed(value: Json, name: (key: string) => string): Json {
  const opaque = ['labels', 'annotations', 'model', 'settings', 'routes', 'matchLabels'];
  if (Array.isArray(value)) return value.map((one) => renamed(one, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [name(key), opaque.includes(key) ? one : renamed(one, name)]),
  );
}

const camel = (key: string) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The resources of the operator, with names of fields as the types of its CustomResourceDefinitions have them. */
export function operatorObjects(): { kind: string; raw: Json; props: Json }[] {
  return parseAllDocuments(read('grafana/operator/alerting.yaml')).map((document) => {
    const raw = document.toJS() as { kind: string; metadata: Json; spec: Json };
    const props = { metadata: raw.metadata, spec: renamed(raw.spec, camel) };
    return { kind: raw.kind, raw: raw as unknown as Json, props };
  });
}

/** What Terraform has in the singular, the types have in the plural. */
const PLURALS: Record<string, string> = {
  data: 'datas',
  groupBy: 'groupBies',
  matcher: 'matchers',
  policy: 'policies',
  rule: 'rules',
  webhook: 'webhooks',
};

/** The provider takes at most one. */
const SINGLE = ['relativeTimeRange'];

function terraformArguments(resource: Json): Json {
  const named = renamed(resource, (key) => PLURALS[camel(key)] ?? camel(key));
  const flat = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(flat);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, SINGLE.includes(key) ? (one as Json[])[0]! : flat(one)]),
    );
  };
  return flat(named);
}

const TERRAFORM: Record<string, string> = {
  grafana_folder: 'oss.FolderArgs',
  grafana_dashboard: 'oss.DashboardArgs',
  grafana_rule_group: 'alerting.RuleGroupArgs',
  grafana_message_template: 'alerting.MessageTemplateArgs',
  grafana_mute_timing: 'alerting.MuteTimingArgs',
  grafana_contact_point: 'alerting.ContactPointArgs',
  grafana_notification_policy: 'alerting.NotificationPolicyArgs',
};

function literals(): string[] {
  const lines: string[] = [];
  const put = (type: string, value: unknown) =>
    lines.push(`export const _${lines.length}: ${type} = ${JSON.stringify(value)};`);
  for (const { kind, props } of operatorObjects()) put(`Plain<crds.${kind}Props>`, props);
  type Resources = Record<string, Record<string, Json>>;
  const { resource } = JSON.parse(read('grafana/terraform/main.tf.json')) as { resource: Resources };
  for (const [kind, all] of Object.entries(resource)) {
    for (const one of Object.values(all)) put(TERRAFORM[kind]!, terraformArguments(one));
  }
  const file = (name: string) => parse(read(`grafana/alerting/${name}.yaml`)) as Record<string, never[]>;
  for (const group of file('rules')['groups']!) put('RuleFile', group);
  for (const point of file('contact-points')['contactPoints']!) put('ContactPointFile', point);
  for (const policy of file('policy')['policies']!) put('model.NotificationPolicy & { orgId: number }', policy);
  for (const timing of file('mute-timings')['muteTimes']!) put('MuteTimingFile', timing);
  for (const template of file('templates')['templates']!) put('model.NotificationTemplate & { orgId: number }', template);
  return lines;
}

/** Of Grafana's models, as its files have them: pkg/services/provisioning/alerting of its source. */
const HEAD = `// Written by tests/exported.ts.
import type * as crds from '@cdk8s-kit/crds/grafana';
import type * as model from '@grafana/grafana-foundation-sdk/alerting';
import type { alerting, oss } from '@pulumiverse/grafana';

/** The words of an enum instead of its members. */
type Plain<T> = T extends string ? \`\${T}\` : T extends readonly (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Query = Omit<model.Query, 'model'> & { model: Record<string, unknown> };
type Rule = Omit<model.Rule, 'folderUID' | 'orgID' | 'ruleGroup' | 'data'> & { data: Query[]; dashboardUid: string; panelId: number };
interface RuleFile { orgId: number; name: string; folder: string; interval: string; rules: Rule[] }
interface ContactPointFile { orgId: number; name: string; receivers: Required<Pick<model.ContactPoint, 'uid' | 'type' | 'settings' | 'disableResolveMessage'>>[] }
/** Alertmanager's own, in whose form files have them. */
interface MuteTimingFile { orgId: number; name: string; time_intervals: { weekdays?: string[]; times?: { start_time: string; end_time: string }[] }[] }
`;

export function writeCheck(path: string): void {
  writeFileSync(path, `${HEAD}\n${literals().join('\n')}\n`);
}
