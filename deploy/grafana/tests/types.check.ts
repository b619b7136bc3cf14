// That the types of @grafana/schema refuse what Grafana could not show. tsc fails if one of these compiles.
import type { Dashboard, Panel } from '@grafana/schema';
import { stat, steps, timeseries } from '../source/panel';
import { select } from '../source/query';

// @ts-expect-error a panel must have a type
export const withoutType: Panel = { title: 'Lost' };

// @ts-expect-error a dashboard must say which schema it follows
export const withoutSchema: Dashboard = { title: 'Webhooks' };

// @ts-expect-error a place is in numbers
export const misplaced: Panel = { type: 'stat', gridPos: { x: 'left', y: 0, w: 3, h: 4 } };

export const mismapped: Panel['fieldConfig'] = {
  // @ts-expect-error there is no such kind of mapping
  defaults: { mappings: [{ type: 'word', options: {} }] },
  overrides: [],
};

// @ts-expect-error a tile must have a unit and a description
export const undescribed = stat({ title: 'Lost', expression: '1', steps: steps('green') });

export const unnamed = timeseries({
  title: 'Lost',
  description: 'Events lost',
  unit: 'cpm',
  noValue: 'None',
  // @ts-expect-error a curve must have a legend
  series: [['vector(0)']],
});

// @ts-expect-error a metric is the exporter's or its process's
export const foreign = select('node_load1');
