// The committed dashboard over exporters that do not agree: one can no longer read the API, or takes over from another.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Dashboard, Panel } from '@grafana/schema';
import type { Target } from '../source/panel';
import { STATES } from '../source/query';
import { scraped, type Exporter, type Shown } from './exporters';
import { asks, committed, panelsOf } from './files';
import { Stack, targetsOf, type View } from './stack';

const START = Date.UTC(2026, 0, 1) / 1000;
const MINUTE = 60;
const END = 30 * MINUTE;
/** When the exporter that is frozen read the API last. */
const FROZEN = 5 * MINUTE;

/** A webhook that is well, and was just read. */
function well(after: number, more: Partial<Shown> = {}): Shown {
  const readAt = START + Math.floor(after / MINUTE) * MINUTE;
  return { up: 1, readAt, lost: 0, blocked: 0, inARow: 0, pending: 0, active: 1, host: 'new.example', ...more };
}

const ill = { lost: 1, blocked: 1, inARow: 7, pending: 5, host: 'old.example' } as const;

/** It saw the webhook in trouble, and then nothing any more. */
function frozen(after: number): Shown {
  return well(Math.min(after, FROZEN), { ...ill, up: after > FROZEN ? 0 : 1 });
}

const one = (lost: (after: number) => number | undefined): Exporter['shows'] => (after) => {
  const count = lost(after);
  return count === undefined ? undefined : well(after, { lost: count });
};

/** By job: exporters of one account, by instance. */
const SCENES: Record<string, Record<string, Exporter['shows']>> = {
  // The one goes on, and fails to read the list once, just now. The other, the first in any order, is left behind.
  frozen: {
    healthy: (after) =>
      after <= FROZEN
        ? well(after, ill)
        : well(after, {
            up: after < END ? 1 : 0,
            active: after < 20 * MINUTE ? 1 : 0,
            lost: after < 12 * MINUTE ? 1 : 3,
          }),
    frozen,
  },
  // `a` reads logs only, and `b` reads the list only.
  halves: {
    a: (after) => well(after, { up: 0, inARow: 2, blocked: 1 }),
    b: (after) => well(0, { active: after < 20 * MINUTE ? 1 : 0, host: 'renamed.example' }),
  },
  unread: { a: (after) => ({ ...well(after), readAt: undefined }) },
  // From one pod to the next there is a minute without any.
  replaced: {
    a: one((after) => (after < 14 * MINUTE ? (after < 5 * MINUTE ? 0 : 3) : undefined)),
    b: one((after) => (after < 15 * MINUTE ? undefined : after < 20 * MINUTE ? 3 : 6)),
  },
  missed: {
    a: one((after) => (after < 14 * MINUTE ? 0 : undefined)),
    b: one((after) => (after < 15 * MINUTE ? undefined : 4)),
  },
  reset: {
    a: one((after) => (after < 14 * MINUTE ? (after < 6 * MINUTE ? 0 : 3) : undefined)),
    b: one((after) => (after < 15 * MINUTE ? undefined : after < 18.25 * MINUTE ? 0 : 2)),
  },
  'reset between steps': {
    a: one((after) => (after < 6 * MINUTE ? 0 : after < 7 * MINUTE ? 3 : after < 8 * MINUTE ? 0 : 2)),
  },
};

let dashboard: Dashboard;
let stack: Stack;

before(async () => {
  dashboard = await committed();
  const exporters = Object.entries(SCENES).flatMap(([job, instances]) =>
    Object.entries(instances).map(([instance, shows]) => ({ job, instance, shows })),
  );
  stack = await Stack.over(scraped(exporters, START, END), START * 1000);
});

after(() => stack?.stop());

function over(job: string, instance?: string, from = 0, stepSeconds = 15): View {
  return {
    fromMs: (START + from) * 1000,
    toMs: (START + END) * 1000,
    stepMs: stepSeconds * 1000,
    chosen: { account: '.*', job: [job], instance: instance ? [instance] : null, webhook: null },
  };
}

function target(title: string, legend = title): Target {
  const panel = panelsOf(dashboard).find((candidate) => candidate.title === title);
  const found = panel && targetsOf(panel).find(({ legendFormat }) => legendFormat === legend);
  assert.ok(found, `${title} has no ${legend}`);
  return found;
}

const TABLE = 'Webhooks, worst first';

/** What a tile shows now. */
async function tile(title: string, at: View): Promise<number> {
  const result = await stack.run(target(title), at);
  assert.equal(result.length, 1, title);
  return Number(result[0]!.values[0]![1]);
}

/** What the webhook's row of the table says: a value, or a label. */
async function cell(column: string, at: View, label?: string): Promise<number | string | undefined> {
  const result = await stack.run(target(TABLE, column), at);
  assert.equal(result.length, 1, column);
  return label ? result[0]!.metric[label] : Number(result[0]!.values[0]![1]);
}

/** The panels about webhooks: those of the first two rows. */
function aboutWebhooks(): Panel[] {
  const all = dashboard.panels as Panel[];
  const rows = all.flatMap(({ type }, index) => (type === 'row' ? [index] : []));
  return all.slice(0, rows[2]).filter(({ type }) => asks(type));
}

test('beside an exporter that reads the API, one that cannot changes nothing in any panel about webhooks', async () => {
  // The list's readability of the last ten minutes tells who can read; before both could.
  const from = FROZEN + MINUTE;
  for (const panel of aboutWebhooks()) {
    for (const query of targetsOf(panel)) {
      const both = await stack.run(query, over('frozen', undefined, from));
      const healthy = await stack.run(query, over('frozen', 'healthy', from));
      assert.ok(healthy.length > 0, `${panel.title}, ${query.legendFormat}: nothing to compare`);
      assert.deepEqual(both, healthy, `${panel.title}, ${query.legendFormat}`);
    }
  }
  const now = over('frozen');
  assert.equal(await tile('Blocked now', now), 0);
  assert.equal(await tile('Events pending', now), 0);
  assert.equal(await tile('Broken webhooks', now), 0);
  assert.equal(await cell('State', now), STATES.off);
  assert.equal(await cell('Failures in a row', now), 0);
  assert.equal(await cell('Receiver', now, 'target_host'), 'new.example');
});

test('an exporter that cannot read the API still shows what it knows when there is no other', async () => {
  const now = over('frozen', 'frozen');
  assert.equal(await tile('Blocked now', now), 1);
  assert.equal(await tile('Events pending', now), 5);
  assert.equal(await tile('Broken webhooks', now), 1);
  assert.equal(await cell('State', now), STATES.broken);
  assert.equal(await cell('Failures in a row', now), 7);
  assert.equal(await cell('Receiver', now, 'target_host'), 'old.example');
  assert.equal(await tile('Cotalker API', now), 0);
  assert.equal(await tile('Oldest data', now), END - FROZEN);
});

test('what the log says and what the list says each come from the exporter that reads it', async () => {
  const whileOn = { ...over('halves'), toMs: (START + 15 * MINUTE) * 1000 };
  assert.equal(await cell('State', whileOn), STATES.blocked);
  const now = over('halves');
  assert.equal(await cell('State', now), STATES.off);
  assert.equal(await cell('Failures in a row', now), 2);
  assert.equal(await cell('Receiver', now, 'target_host'), 'renamed.example');
});

test('a webhook whose log was never read is there', async () => {
  const now = over('unread');
  assert.equal(await cell('State', now), STATES.ok);
  assert.equal(await cell('Pending', now), 0);
  assert.equal(await cell('Receiver', now, 'target_host'), 'new.example');
});

for (const [scene, lost, told] of [
  ['replaced', 6, 'a pod that takes over its count goes on from it'],
  ['missed', 4, "what a pod's first scrape has already counts"],
  ['reset', 5, 'a pod that starts without state starts again from 0'],
  ['reset between steps', 5, 'an exporter that starts again in place does, too'],
] as const) {
  test(`losses and failures of the shown range: ${told}`, async () => {
    for (const step of [15, MINUTE]) {
      const now = over(scene, undefined, 0, step);
      assert.equal(await tile('Events lost', now), lost);
      assert.equal(await cell('Lost', now), lost);
      assert.ok(Math.abs((await tile('Failed attempts', now)) - 0.5) < 1e-9);
      assert.ok(Math.abs(Number(await cell('Failed', now)) - 0.5) < 1e-9);
      assert.equal(await cell('Why', now, 'reason'), 'timeout');
      assert.equal(Math.round(Number(await cell('Why', now))), 4 * lost);
    }
  });
}

test('what was counted between two wide steps is not forgotten by a reset between them', async () => {
  assert.equal(await tile('Events lost', over('reset between steps', undefined, -MINUTE, 5 * MINUTE)), 5);
});

test('what was counted after the last step is there at once', async () => {
  // Steps lie on whole minutes; the loss is a quarter past, and half a minute old.
  const now = { ...over('reset', undefined, 0, MINUTE), toMs: (START + 18.75 * MINUTE) * 1000 };
  assert.equal(await tile('Events lost', now), 5);
});
