// The rules of grafana/dashboard-linter by their names, and what this dashboard promises beyond them. Of the linter's rules
// target-logql-rule and target-logql-auto-rule do not apply: nothing is asked of Loki.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { getValueFormats } from '@grafana/data';
import type { Dashboard, Panel, VariableModel } from '@grafana/schema';
import { forUpload } from '../source/upload';
import { committed, panelsOf, written } from './files';
import { RATE_INTERVAL, replicated, selectors } from './promql';
import { setting, targetsOf } from './stack';

let dashboard: Dashboard;
let panels: Panel[];
before(async () => {
  dashboard = await committed();
  panels = panelsOf(dashboard);
});

function variable(name: string): VariableModel {
  const found = dashboard.templating?.list?.find((candidate) => candidate.name === name);
  assert.ok(found, `there is no variable ${name}`);
  return found;
}

function queries(): { at: string; expr: string }[] {
  return panels.flatMap((panel) =>
    targetsOf(panel).map(({ expr, refId }) => ({ at: `${panel.title}, query ${refId}`, expr })),
  );
}

function labelVariables(): VariableModel[] {
  return ['account', 'job', 'instance', 'webhook'].map(variable);
}

function queryOf({ query }: VariableModel): string {
  return (query as { query: string }).query;
}

for (const [path, content] of Object.entries(written())) {
  test(`deploy/${path} is what the source says`, async () => {
    assert.equal(await readFile(`${setting('DEPLOY')}/${path}`, 'utf8'), content, 'run scripts/test-dashboard --write');
  });
}

test('template-datasource-rule: the data source is one variable, for Prometheus', () => {
  const found = dashboard.templating?.list?.filter(({ type }) => type === 'datasource') ?? [];
  assert.deepEqual(
    found.map(({ name, label, query }) => [name, label, query]),
    [['datasource', 'Data source', 'prometheus']],
  );
});

for (const name of ['job', 'instance']) {
  test(`template-${name}-rule: ${name} is a variable from the same data source, several at once, all of them .+`, () => {
    const { datasource, type, label, multi, allValue, includeAll } = variable(name);
    assert.deepEqual(
      { uid: datasource?.uid, type, label, multi, allValue, includeAll },
      {
        uid: '${datasource}',
        type: 'query',
        label: name[0]!.toUpperCase() + name.slice(1),
        multi: true,
        allValue: '.+',
        includeAll: true,
      },
    );
  });

  test(`target-${name}-rule: every selector is narrowed by ${name}`, () => {
    for (const { at, expr } of queries()) {
      for (const { metric, matchers } of selectors(expr)) {
        assert.ok(matchers.includes(`${name}=~"$${name}"`), `${at}: ${metric} is not`);
      }
    }
  });
}

test('template-label-promql-rule: variables ask for the values of a label of a valid selector', () => {
  for (const found of labelVariables()) {
    const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(queryOf(found)) ?? [];
    assert.equal(selectors(selector ?? '').length, 1, found.name);
    assert.equal(label, found.name);
  }
});

test('template-on-time-change-reload-rule: variables follow the time range', () => {
  for (const { name, refresh } of labelVariables()) assert.equal(refresh, 2, name);
});

test('panel-datasource-rule: every panel and every query uses the variable', () => {
  for (const panel of panels) {
    for (const { datasource } of [panel, ...targetsOf(panel)]) {
      assert.deepEqual(datasource, { type: 'prometheus', uid: '${datasource}' }, panel.title);
    }
  }
});

test('panel-title-description-rule: every panel has a title of its own and a description in sentences', () => {
  assert.ok(panels.length > 0);
  for (const { id, title, description } of panels) {
    assert.ok(title, `panel ${id} has no title`);
    assert.match(description ?? '', /^[A-Z0-9].{20,}\.$/, title);
  }
  assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length, 'a title is there twice');
});

test("panel-units-rule: every unit is one of Grafana's, and every panel has one", () => {
  // Grafana's list asks the browser how it writes dates; Node.js 20 has none.
  Object.assign(globalThis, { navigator: { languages: ['en'] } });
  const known = new Set(getValueFormats().flatMap(({ submenu }) => (submenu ?? []).map(({ value }) => value)));
  assert.ok(known.has('percentunit'));
  for (const { title, fieldConfig } of panels) {
    const overridden = fieldConfig!.overrides.flatMap(({ properties }) => properties).filter(({ id }) => id === 'unit');
    for (const unit of [fieldConfig!.defaults.unit, ...overridden.map(({ value }) => value as string)]) {
      assert.ok(unit && (known.has(unit) || unit.startsWith('suffix:')), `${title}: ${unit}`);
    }
  }
});

test('panel-no-targets-rule: every panel asks for something', () => {
  for (const panel of panels) assert.ok(targetsOf(panel).length > 0, panel.title);
});

test('target-promql-rule: every query is PromQL', () => {
  assert.throws(() => selectors('max by (webhook) (cotalker_up{job="a"}'));
  for (const { at, expr } of queries()) assert.doesNotThrow(() => selectors(expr), at);
});

test('target-rate-interval-rule: every rate is over $__rate_interval', () => {
  for (const { at, expr } of queries()) {
    for (const { call, range } of selectors(expr)) {
      if (call === 'rate' || call === 'irate') assert.equal(range, RATE_INTERVAL, at);
    }
  }
});

test('target-counter-agg-rule: every counter goes into rate or increase, and nothing else does', () => {
  for (const { at, expr } of queries()) {
    for (const { metric, calls } of selectors(expr)) {
      const counter = /_(total|bucket)$/.test(metric);
      assert.equal(calls.includes('rate') || calls.includes('increase'), counter, `${at}: ${metric} in ${calls}`);
    }
  }
});

test('every selector is narrowed by account, and All takes exporters without one, too', () => {
  assert.equal(variable('account').allValue, '.*');
  for (const { at, expr } of queries()) {
    for (const { metric, matchers } of selectors(expr)) {
      assert.ok(matchers.includes('account=~"$account"'), `${at}: ${metric} is not`);
    }
  }
});

test('units are words', () => {
  const short = ['cpm', 'cps', 'reqps', 'rps', 'wpm', 'opm', 'rpm', 'mpm'];
  for (const { title, fieldConfig } of panels) assert.ok(!short.includes(fieldConfig!.defaults.unit!), title);
});

test('alerts are those of Grafana: listed, and drawn in where a rule watches; no query asks for ALERTS', () => {
  const list = dashboard.panels!.find(({ type }) => type === 'alertlist') as Panel;
  assert.equal((list.options as { alertName: string }).alertName, 'Cotalker');
  assert.deepEqual(dashboard.annotations!.list!.map(({ type, builtIn }) => [type, builtIn]), [['dashboard', 1]]);
  assert.doesNotMatch(JSON.stringify(dashboard), /ALERTS/);
});

test('what was lost can be listed from here: by the page of each webhook, and by a command', () => {
  const links = JSON.stringify(panels.find(({ title }) => title === 'Webhooks, worst first')!.fieldConfig);
  assert.ok(links.includes('${exporter:raw}/webhooks/${__value.text:percentencode}'), links);
  assert.match(panels.find(({ title }) => title === 'Events lost')!.description!, /cotalker-webhook-exporter lost/);
});

test('the form for an upload asks for the data source, and is the same otherwise', () => {
  const { __inputs, __requires, id, templating, ...rest } = forUpload(dashboard) as Dashboard & {
    __inputs: { name: string }[];
    __requires: { id: string }[];
  };
  assert.deepEqual(__inputs.map(({ name }) => name), ['DS_PROMETHEUS']);
  assert.ok(__requires.some(({ id: needed }) => needed === 'alertlist'));
  assert.equal(id, null);
  const { templating: _, ...same } = dashboard;
  assert.deepEqual(rest, same);
  const [source] = templating!.list!;
  assert.equal((source as { current: { value: string } }).current.value, '${DS_PROMETHEUS}');
});

test('uneditable-dashboard: the dashboard is not edited in place', () => {
  assert.equal(dashboard.editable, false);
});

test('a count that several exporters show is never added up, nor shown once for each', () => {
  const wrong = [
    'sum(increase(cotalker_webhook_events_lost_total[5m]))',
    'sum by (webhook) (cotalker_webhook_blocked)',
    'cotalker_webhook_blocked == 1',
    'max by (reason) (rate(cotalker_webhook_delivery_failures_total[5m]))',
    'sum by (reason) (sum without (instance) (rate(cotalker_webhook_delivery_failures_total[5m])))',
  ];
  for (const expr of wrong) assert.notDeepEqual(replicated(expr), [], expr);
  for (const { at, expr } of queries()) assert.deepEqual(replicated(expr), [], at);
});

test('Grafana can provision and import the file: a stable uid, no ids of a database, no inputs', () => {
  const { uid, title, schemaVersion, tags } = dashboard;
  assert.deepEqual(
    { uid, title, schemaVersion },
    { uid: 'cotalker-webhooks', title: 'Cotalker webhooks', schemaVersion: 38 },
  );
  assert.ok(tags?.includes('cotalker'));
  assert.ok(!('id' in dashboard) && !('__inputs' in dashboard) && !('__requires' in dashboard));
});

test('only kinds of panels that Grafana has had since 10 and still has', () => {
  assert.deepEqual([...new Set(dashboard.panels!.map(({ type }) => type))].sort(), [
    'alertlist',
    'row',
    'stat',
    'table',
    'timeseries',
  ]);
});

test('panels have ids of their own, and places that neither overlap nor leave the grid', () => {
  const all = dashboard.panels!;
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos } of all) {
    const { x, y, w, h } = gridPos!;
    assert.ok(Number.isInteger(x) && Number.isInteger(w) && x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const cell = `${column},${line}`;
        assert.ok(!taken.has(cell), `${title} lies upon ${taken.get(cell)}`);
        taken.set(cell, title!);
      }
    }
  }
});

test('every alert has a panel that leads to its runbook, and no link leads nowhere', async () => {
  const alerts = [...(await readFile(setting('ALERT_RULES'), 'utf8')).matchAll(/^\s+- alert: (\w+)$/gm)].map(
    ([, alert]) => alert!,
  );
  const sections = [...(await readFile(setting('RUNBOOKS'), 'utf8')).matchAll(/^## (\w+)$/gm)].map(([, section]) =>
    section!.toLowerCase(),
  );
  assert.ok(alerts.length > 0);
  const linked = panels.flatMap(({ links }) => links ?? []).map(({ url }) => url!);
  for (const alert of alerts) {
    assert.ok(
      linked.some((url) => url.endsWith(`/docs/runbooks.md#${alert.toLowerCase()}`)),
      `no panel leads to ${alert}`,
    );
  }
  for (const url of linked) assert.ok(sections.includes(url.split('#')[1]!), url);
});
