// Every rule on a real Prometheus and on VictoriaMetrics with vmalert, both over the demo: no query is refused, and both say the
// same. vmalert keeps no state in VictoriaMetrics: there is no remote write.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { selectors } from './promql';
import { Stack, freePort, setting } from './stack';

const PATIENCE_MS = 300_000;

/** The demo runs faster than life, and so do the rules: twenty minutes of theirs are one. */
const FASTER = 20;

function quick(rules: string): string {
  const seconds: Record<string, number> = { m: 60, h: 3_600, d: 86_400 };
  return rules.replace(/(\[|:|offset |for: )(\d+)([mhd])\b/g, (_, before: string, number: string, unit: string) => {
    return `${before}${(Number(number) * seconds[unit]!) / FASTER}s`;
  });
}

let stack: Stack;
let directory: string;
let victoria: string;
let vmalert: string;
const processes: ChildProcess[] = [];

function run(command: string, ...args: string[]): void {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  process.on('exit', () => child.kill());
  processes.push(child);
}

before(async () => {
  stack = await Stack.start();
  directory = await mkdtemp(join(tmpdir(), 'engines-'));
  victoria = `127.0.0.1:${await freePort()}`;
  vmalert = `127.0.0.1:${await freePort()}`;
  const scrape = {
    global: { scrape_interval: '1s' },
    scrape_configs: [{ job_name: 'cotalker', static_configs: [{ targets: stack.exporters }] }],
  };
  await writeFile(join(directory, 'scrape.yml'), JSON.stringify(scrape));
  run(
    'victoria-metrics',
    `-storageDataPath=${join(directory, 'data')}`,
    `-httpListenAddr=${victoria}`,
    `-promscrape.config=${join(directory, 'scrape.yml')}`,
    '-search.latencyOffset=0s',
  );
  const alerts = await readFile(`${setting('DEPLOY')}/prometheus/alerts.yml`, 'utf8');
  await writeFile(join(directory, 'alerts.yml'), quick(alerts));
  // Nobody is told.
  run(
    'vmalert',
    `-rule=${join(directory, 'alerts.yml')}`,
    `-datasource.url=http://${victoria}`,
    '-notifier.url=http://127.0.0.1:9',
    `-httpListenAddr=${vmalert}`,
    '-evaluationInterval=1s',
    '-datasource.lookback=0s',
  );
});

after(async () => {
  for (const child of processes) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (child.kill()) await gone;
  }
  await stack?.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
}

async function rules(): Promise<Rule[]> {
  const { groups } = parse(quick(await readFile(setting('ALERT_RULES'), 'utf8'))) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

async function fromVictoria(query: string): Promise<string[]> {
  const answer = await fetch(`http://${victoria}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
  const body = (await answer.json()) as { status: string; error?: string; data: { result: { metric: object }[] } };
  assert.equal(body.status, 'success', `${body.error}: ${query}`);
  return labelSets(body.data.result.map(({ metric }) => metric));
}

function labelSets(all: object[]): string[] {
  const plain = (metric: object) => Object.entries(metric).filter(([name]) => name !== '__name__');
  return all.map((metric) => JSON.stringify(plain(metric).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
}

async function seen<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look().catch((error: unknown) => {
      if (error instanceof assert.AssertionError) throw error;
      return undefined;
    });
    if (found !== undefined) return found;
    assert.ok(Date.now() < deadline, `never seen: ${what}`);
    await pause(1_000);
  }
}

const DEAD = ['activos_sap', 'note_archive', 'session_audit', 'survey_legacy', 'wo_billing'];

/** The webhooks of the alerts that page for receivers. */
async function paged(): Promise<string[]> {
  const answer = await fetch(`http://${vmalert}/api/v1/alerts`);
  const { data } = (await answer.json()) as { data: { alerts: { state: string; labels: Record<string, string> }[] } };
  const firing = data.alerts.filter(({ labels }) => labels['severity'] === 'page' && labels['scope'] === 'receiver');
  return firing.map(({ labels }) => labels['webhook']!).sort();
}

test('vmalert without a remote write pages for each dead receiver, once, and for no other', async () => {
  await seen('all dead receivers', async () => ((await paged()).length >= DEAD.length ? true : undefined));
  assert.deepEqual(await paged(), DEAD);
});

test('every query of every rule has the same answer from Prometheus and from VictoriaMetrics', async () => {
  let answered = 0;
  for (const { alert, record, expr } of await rules()) {
    const both = await seen(`${alert ?? record}: the same`, async () => {
      const [one, other] = await Promise.all([stack.instant(expr), fromVictoria(expr)]);
      const metrics = labelSets(one.map(({ metric }) => metric));
      return JSON.stringify(metrics) === JSON.stringify(other) ? metrics : undefined;
    });
    answered += both.length;
  }
  // Five dead receivers, and recordings of every webhook.
  assert.ok(answered > DEAD.length, String(answered));
});

test('every metric that a rule reads is one of the page, of the process or of the scrape, or is there at times', async () => {
  const page = await stack.page();
  // Of a token that is a JWT.
  const atTimes = ['cotalker_api_token_expiry_timestamp_seconds'];
  for (const { alert, expr } of await rules()) {
    for (const { metric } of selectors(expr)) {
      const isKnown = metric === 'up' || atTimes.includes(metric) || page.includes(`\n# TYPE ${metric.replace(/_(bucket|count)$/, '')} `);
      assert.ok(isKnown, `${alert}: ${metric}`);
    }
  }
});
