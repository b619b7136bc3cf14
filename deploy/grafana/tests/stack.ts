// A real Prometheus on loopback, gone when the test ends: it scrapes the demo, or has been given what exporters once showed.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Panel } from '@grafana/schema';
import type { Target } from '../source/panel';
import type { Series } from './picture';

/** Fast enough that the slowest of the demo's receivers, with an event every nine minutes, loses one within a minute. */
const DEMO_SPEED = 10;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run scripts/test-dashboard`);
  return value;
}

function run(command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  // A test that breaks off takes it along, too.
  process.on('exit', () => child.kill());
  return child;
}

async function runPrometheus(directory: string, address: string, configuration: object): Promise<ChildProcess> {
  // JSON is YAML.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(configuration));
  return run(
    'prometheus',
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${address}`,
    '--log.level=error',
  );
}

export class Stack {
  private constructor(
    /** The addresses of one exporter. Prometheus takes them for two exporters of one account, which show the same counts. */
    readonly exporters: string[],
    private readonly prometheus: string,
    private readonly directory: string,
    private readonly processes: ChildProcess[],
    readonly startedMs: number,
  ) {}

  static async start(): Promise<Stack> {
    const directory = await mkdtemp(join(tmpdir(), 'dashboard-'));
    const exporters = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const prometheus = `127.0.0.1:${await freePort()}`;
    const configuration = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [setting('ALERT_RULES')],
      scrape_configs: [{ job_name: 'cotalker', static_configs: [{ targets: exporters }] }],
    };
    const demo = run(
      setting('EXPORTER'),
      'demo',
      ...exporters.map((address) => `--web.listen-address=${address}`),
      '--poll.interval=1s',
      `--demo.speed=${process.env['DEMO_SPEED'] ?? DEMO_SPEED}`,
      `--state.path=${join(directory, 'state')}`,
      '--log.level=error',
    );
    return new Stack(
      exporters,
      prometheus,
      directory,
      [demo, await runPrometheus(directory, prometheus, configuration)],
      Date.now(),
    );
  }

  /** A Prometheus that has samples, in the text format of OpenMetrics, and scrapes nothing. */
  static async over(samples: string, startMs: number): Promise<Stack> {
    const directory = await mkdtemp(join(tmpdir(), 'dashboard-'));
    const file = join(directory, 'samples');
    await writeFile(file, samples);
    await promisify(execFile)('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file, join(directory, 'data')]);
    const prometheus = `127.0.0.1:${await freePort()}`;
    const server = await runPrometheus(directory, prometheus, {});
    while (!(await fetch(`http://${prometheus}/-/ready`).catch(() => undefined))?.ok) {
      if (server.exitCode !== null) throw new Error(`Prometheus ended with status ${server.exitCode}`);
      await pause(100);
    }
    return new Stack([], prometheus, directory, [server], startMs);
  }

  async stop(): Promise<void> {
    for (const child of this.processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await gone;
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  async page(): Promise<string> {
    return (await fetch(`http://${this.exporters[0]}/metrics`)).text();
  }

  private async get<Data>(path: string, parameters: Record<string, string>): Promise<Data> {
    const answer = await fetch(`http://${this.prometheus}/api/v1/${path}`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    });
    const body = (await answer.json()) as { status: string; data: Data; error?: string };
    if (body.status !== 'success') throw new Error(`${body.error}: ${JSON.stringify(parameters)}`);
    return body.data;
  }

  async instant(query: string, atMs = Date.now()): Promise<Series[]> {
    type Instant = { result: { metric: Record<string, string>; value: [number, string] }[] };
    const { result } = await this.get<Instant>('query', { query, time: String(atMs / 1000) });
    return result.map(({ metric, value }) => ({ metric, values: [value] }));
  }

  async range(query: string, view: View): Promise<Series[]> {
    const [start, end, step] = [view.fromMs, view.toMs, view.stepMs].map((ms) => String(ms / 1000));
    return (await this.get<{ result: Series[] }>('query_range', { query, start: start!, end: end!, step: step! }))
      .result;
  }

  /** The values of `label_values(metric, label)`, asked for as Grafana does. */
  async labelValues(query: string): Promise<string[]> {
    const parts = /^label_values\((.*),\s*(\w+)\)$/.exec(query);
    if (!parts) throw new Error(`not label_values(metric, label): ${query}`);
    const series = await this.get<Record<string, string>[]>('series', { 'match[]': parts[1]! });
    return [...new Set(series.map((labels) => labels[parts[2]!]!))].sort();
  }

  /** A panel's query as Grafana runs it. */
  async run(target: Target, view: View): Promise<Series[]> {
    const query = interpolate(target.expr, view);
    const result = target.instant ? await this.instant(query, view.toMs) : await this.range(query, view);
    return result.filter(({ values }) => values.length > 0);
  }
}

/** A time range, and what is chosen in the variables: null is All, a text the `allValue` of a variable that has its own. */
export interface View {
  fromMs: number;
  toMs: number;
  stepMs: number;
  chosen: Record<string, string[] | string | null>;
}

/** The scrape interval that Grafana's data source for Prometheus assumes unless told otherwise, and so its smallest step. */
const SCRAPE_INTERVAL_MS = 15_000;
/** Grafana asks for about a point per pixel; this is a third of the dashboard's width. */
const MAX_DATA_POINTS = 500;

export function view(fromMs: number, toMs: number, chosen: View['chosen']): View {
  const stepMs = Math.max(SCRAPE_INTERVAL_MS, Math.ceil((toMs - fromMs) / MAX_DATA_POINTS / 1000) * 1000);
  // Grafana aligns the ends of a range to the step.
  return { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs, stepMs, chosen };
}

/**
 * Puts in the variables as Grafana does: All is the variable's `allValue` as it stands, values are escaped for a regular
 * expression within a string, and several of them become a group.
 */
export function interpolate(text: string, { fromMs, toMs, stepMs, chosen }: View): string {
  const rateInterval = Math.max(stepMs + SCRAPE_INTERVAL_MS, 4 * SCRAPE_INTERVAL_MS);
  const seconds = (ms: number) => `${Math.round(ms / 1000)}s`;
  const all: Record<string, string> = {
    __interval: seconds(stepMs),
    __rate_interval: seconds(rateInterval),
    __range: seconds(toMs - fromMs),
  };
  for (const [name, values] of Object.entries(chosen)) {
    if (typeof values === 'string') {
      all[name] = values;
      continue;
    }
    const escaped = values?.map((value) => value.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]+?.()|]/g, '\\\\$&'));
    all[name] = !escaped ? '.+' : escaped.length === 1 ? escaped[0]! : `(${escaped.join('|')})`;
  }
  return text.replace(/\$\{(\w+)\}|\$(\w+)/g, (whole, braced: string, bare: string) => {
    const value = all[braced ?? bare];
    if (value === undefined) throw new Error(`unknown variable ${whole} in ${text}`);
    return value;
  });
}

export function targetsOf(panel: Panel): Target[] {
  return (panel.targets ?? []) as Target[];
}
