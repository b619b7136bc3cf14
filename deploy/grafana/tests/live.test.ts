// The committed dashboard over the demo: every query of it run by a real Prometheus, and every panel drawn.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Dashboard, Panel } from '@grafana/schema';
import type { Browser } from 'playwright-core';
import { REASONS } from '../source/palette';
import type { Target } from '../source/panel';
import { STATES } from '../source/query';
import { draw, launch, type Drawn } from './draw';
import { asks, committed, panelsOf } from './files';
import type { Answer, Picture } from './picture';
import { selectors } from './promql';
import { Stack, interpolate, setting, targetsOf, view, type View } from './stack';

/** The demo's bad receivers, and why each is bad. */
const BAD = {
  activos_sap: 'timeout',
  note_archive: 'certificate_expired',
  survey_legacy: 'dns',
  wo_billing: 'http_4xx',
  session_audit: 'refused',
} as const;

/** Long enough for a slow machine; a fast one shows everything after a minute. */
const PATIENCE_MS = 180_000;

/** Points that make a curve, and not only a dot or a stroke. */
const CURVE = 3;

const ALL = { account: '.*', job: null, instance: null, webhook: null };
const WIDTH = 1600;

let dashboard: Dashboard;
let stack: Stack;
let browser: Browser;
/** The view at which everything that the dashboard asks for was there, and the answers. */
let seen: View;
let answers: Picture['answers'];

before(async () => {
  dashboard = await committed();
  stack = await Stack.start();
  browser = await launch();
  const deadline = Date.now() + Math.max(PATIENCE_MS, 2 * historyMs());
  for (;;) {
    const open = await missing();
    if (open.length === 0 && Date.now() - stack.startedMs >= historyMs()) return;
    assert.ok(Date.now() < deadline, `never seen: ${open.join('; ')}`);
    await pause(2_000);
  }
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** How long a time the pictures show at least; for the README's it is more than the tests need. */
function historyMs(): number {
  return Number(process.env['HISTORY_SECONDS'] ?? 0) * 1000;
}

async function ask(chosen: View['chosen']): Promise<{ at: View; answers: Picture['answers'] }> {
  const at = view(stack.startedMs, Date.now(), chosen);
  const found: Picture['answers'] = {};
  for (const panel of panelsOf(dashboard)) {
    found[String(panel.id)] = await Promise.all(
      targetsOf(panel).map(async (target): Promise<Answer> => ({
        target,
        result: await stack.run(target, at),
        stepMs: at.stepMs,
      })),
    );
  }
  return { at, answers: found };
}

/** Only of a token that is a JWT, and the demo's is none. */
const OF_A_JWT = 'Token expires in';

/** What the dashboard should show of the demo, and does not yet. */
async function missing(): Promise<string[]> {
  let found;
  try {
    found = await ask(ALL);
  } catch (error) {
    // A server that is not up yet refuses; a wrong query stays wrong until the patience ends.
    return [String(error)];
  }
  ({ at: seen, answers } = found);
  const empty = panelsOf(dashboard).flatMap(({ id, title }) =>
    answers[String(id)]!.filter(({ target, result }) => result.length === 0 && target.legendFormat !== OF_A_JWT).map(
      ({ target }) => `${title}, query ${target.refId}: empty`,
    ),
  );
  const dots = panelsOf(dashboard)
    .filter(
      ({ type, id }) =>
        type === 'timeseries' &&
        !answers[String(id)]!.some(({ result }) => result.some(({ values }) => values.length > CURVE)),
    )
    .map(({ title }) => `${title}: no curve`);
  const reasons = new Map(
    answerOf('Webhooks, worst first', 'Why').result.map(({ metric }) => [metric['webhook'], metric['reason']]),
  );
  const wrong = Object.entries(BAD).filter(([webhook, reason]) => reasons.get(webhook) !== reason);
  // The flaky one is broken, too, for a moment after each event that it loses.
  const others = brokenWebhooks().filter((webhook) => !(webhook in BAD));
  return [
    ...empty,
    ...dots,
    ...wrong.map(([webhook]) => `${webhook}: no reason`),
    ...others.map((webhook) => `${webhook}: broken`),
  ];
}

function panel(title: string): Panel {
  const found = panelsOf(dashboard).find((candidate) => candidate.title === title);
  assert.ok(found, `there is no panel ${title}`);
  return found;
}

function answerOf(title: string, legend: string): Answer {
  const found = answers[String(panel(title).id)]!.find(({ target }) => target.legendFormat === legend);
  assert.ok(found, `${title} has no ${legend}`);
  return found;
}

function brokenWebhooks(): string[] {
  const states = answerOf('Webhooks, worst first', 'State').result;
  const broken = states.filter(({ values }) => values[0]![1] === String(STATES.broken));
  return broken.map(({ metric }) => metric['webhook']!).sort();
}

/** The rows of the dashboard with the panels under each. */
function sections(): Panel[][] {
  const all = (dashboard.panels as Panel[]).filter(({ type }) => type === 'row' || asks(type));
  const starts = all.flatMap(({ type }, index) => (type === 'row' ? [index] : []));
  return starts.map((start, index) => all.slice(start, starts[index + 1]));
}

test('every query of every panel has an answer', () => {
  const asked = Object.values(answers).flat();
  assert.equal(asked.length, panelsOf(dashboard).flatMap(targetsOf).length);
  for (const { target, result } of asked) assert.ok(result.length > 0 || target.legendFormat === OF_A_JWT, target.expr);
  console.log(`# ${asked.length} queries of ${panelsOf(dashboard).length} panels, none empty`);
});

test('every metric is one of the page, and every reason of the page has a colour and a word', async () => {
  const page = await stack.page();
  const families = new Set([...page.matchAll(/^([a-z_]+)(?:\{| )/gm)].map(([, name]) => name!));
  for (const { expr, legendFormat } of panelsOf(dashboard).flatMap(targetsOf)) {
    if (legendFormat === OF_A_JWT) continue;
    for (const { metric } of selectors(expr)) assert.ok(families.has(metric), metric);
  }
  const reasons = new Set([...page.matchAll(/reason="(\w+)"/g)].map(([, reason]) => reason!));
  assert.deepEqual([...reasons].sort(), Object.keys(REASONS).sort());
});

test('the variables offer the jobs, exporters and webhooks that there are', async () => {
  const values = async (name: string) => {
    const { query } = dashboard.templating!.list!.find((variable) => variable.name === name)!;
    return stack.labelValues(interpolate((query as { query: string }).query, seen));
  };
  assert.deepEqual(await values('job'), ['cotalker']);
  assert.deepEqual(await values('instance'), [...stack.exporters].sort());
  const webhooks = await values('webhook');
  for (const webhook of Object.keys(BAD)) assert.ok(webhooks.includes(webhook), webhook);
});

test('the second row shows the chosen webhooks, and no others', async () => {
  const chosen = ['user_sync', 'wo_billing'];
  const found = await ask({ ...ALL, webhook: chosen });
  const results = sections()[1]!
    .filter(({ type }) => type !== 'row')
    .flatMap(({ id }) => found.answers[String(id)]!);
  const webhooks = new Set(results.flatMap(({ result }) => result.flatMap(({ metric }) => metric['webhook'] ?? [])));
  assert.deepEqual([...webhooks].sort(), chosen);
  for (const { target, result } of results) assert.ok(result.length > 0, target.expr);
});

test('two exporters of one account show what one of them does', async () => {
  const one = { ...ALL, instance: [stack.exporters[0]!] };
  const overWebhooks = sections()
    .slice(0, 2)
    .flat()
    .filter(({ type }) => type !== 'row');
  const differing = async (): Promise<string[]> => {
    const at = view(stack.startedMs, Date.now(), ALL);
    const labels = async (target: Target, chosen: View['chosen']) =>
      (await stack.run(target, { ...at, chosen })).map(({ metric }) => JSON.stringify(metric)).sort();
    const found: string[] = [];
    for (const { title, targets } of overWebhooks) {
      for (const target of targets as Target[]) {
        if (!isDeepStrictEqual(await labels(target, ALL), await labels(target, one)))
          found.push(`${title}, ${target.refId}`);
      }
    }
    return found;
  };
  // They are not scraped at the same instant, so that for a moment one of them may show a series that is new.
  let found = await differing();
  for (let attempt = 1; found.length > 0 && attempt < 5; attempt++) {
    await pause(1_000);
    found = await differing();
  }
  assert.deepEqual(found, []);
  const lost = async (chosen: View['chosen']) =>
    Number((await stack.run(targetsOf(panel('Events lost'))[0]!, { ...seen, chosen }))[0]!.values[0]![1]);
  // One may know of an event more, too. Twice as many it would be if they were added up.
  assert.ok((await lost(ALL)) < 1.5 * (await lost(one)));
});

test('the tiles and the table say that the five bad receivers are broken, and why', () => {
  const tile = answerOf('Broken webhooks', 'Broken webhooks').result[0]!.values[0]![1];
  assert.equal(tile, String(Object.keys(BAD).length));
  assert.deepEqual(brokenWebhooks(), Object.keys(BAD).sort());
});

function picture(theme: Picture['theme'], panels: Panel[], shown: Picture['answers'], webhook: string): Picture {
  return { theme, width: WIDTH, panels, answers: shown, fromMs: seen.fromMs, toMs: seen.toMs, webhook };
}

async function keep(name: string, { png }: Drawn): Promise<void> {
  await mkdir(setting('SCREENSHOTS'), { recursive: true });
  await writeFile(join(setting('SCREENSHOTS'), `${name}.png`), png);
}

/** What the eye needs between words and what they stand on, by WCAG 2.2, 1.4.3. */
const READABLE_CONTRAST = 4.5;

function contrast(one: string, other: string): number {
  const luminance = (color: string) => {
    const [red, green, blue] = color.match(/[\d.]+/g)!.map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

for (const theme of ['dark', 'light'] as const) {
  test(`every panel is drawn by Grafana's components, ${theme}`, async () => {
    const drawn = new Map<number, string>();
    for (const [index, panels] of sections().entries()) {
      const found = await draw(browser, picture(theme, panels, answers, 'All'));
      assert.deepEqual(found.complaints, []);
      for (const { id, title, type } of panels.filter(({ type }) => type !== 'row')) {
        const shown = found.texts.get(id!) ?? '';
        assert.ok(shown.includes(title!), `${title} is not there`);
        assert.doesNotMatch(shown, /no data|error:/i, title);
        assert.ok(shown.replace(title!, '').trim(), `${title} is empty`);
        if (type === 'timeseries') assert.ok(found.plots.get(id!)! > WIDTH / 10, `${title} has no curve`);
        drawn.set(id!, shown);
      }
      await keep(`${['overview', 'webhook', 'exporter'][index]}-${theme}`, found);
    }
    assert.equal(drawn.size, panelsOf(dashboard).length);
    console.log(`# ${drawn.size} panels drawn, ${theme}`);
  });

  test(`in the table each bad receiver has a colour and words of its own that can be read, ${theme}`, async () => {
    const { cells } = await draw(browser, picture(theme, [panel('Webhooks, worst first')], answers, 'All'));
    for (const { row, text, color, background } of cells.filter(({ text }) => text)) {
      assert.ok(
        contrast(color, background) >= READABLE_CONTRAST,
        `${row}, ${text}: ${contrast(color, background).toFixed(1)}`,
      );
    }
    const looks = Object.entries(BAD).map(([webhook, reason]) => {
      const [state, why] = cells.filter(({ row, own }) => row === webhook && own);
      assert.equal(state?.text, 'Broken', webhook);
      assert.equal(why?.text, REASONS[reason].text, webhook);
      return why!.background;
    });
    assert.equal(new Set(looks).size, looks.length);
    const rows = [...new Set(cells.map(({ row }) => row))];
    assert.deepEqual(rows.slice(0, looks.length).sort(), Object.keys(BAD).sort(), 'the broken ones stand first');
  });
}

test('the row of one webhook is drawn', async () => {
  const chosen = 'user_sync';
  const found = await ask({ ...ALL, webhook: [chosen] });
  const row = await draw(browser, picture('dark', sections()[1]!, found.answers, chosen));
  assert.deepEqual(row.complaints, []);
  await keep('webhook-chosen', row);
});
