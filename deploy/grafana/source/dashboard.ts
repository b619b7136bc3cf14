// The dashboard. What users import is dashboard.json, which is written from this: scripts/test-dashboard --write
import {
  DashboardCursorSync,
  VariableHide,
  type Dashboard,
  type VariableModel,
} from '@grafana/schema';
import { exporter } from './exporter';
import { overview } from './overview';
import { DATASOURCE, link } from './panel';
import { select } from './query';
import { chosenWebhooks } from './webhook';

const REPOSITORY = 'https://github.com/cotalker-webhook-exporter/cotalker-webhook-exporter';

/** Read again when the time range changes, so that webhooks that are gone can be chosen within their time. */
const ON_TIME_RANGE_CHANGE = 2;

const ALL = { selected: true, text: ['All'], value: ['$__all'] };

/** Values of a label, of which several may be chosen. All of them is `.+`, so that a query stays short. */
function labelVariable(
  name: string,
  label: string,
  description: string,
  metric: string,
  allValue = '.+',
): VariableModel {
  const query = `label_values(${metric}, ${name})`;
  return {
    allValue,
    current: ALL,
    datasource: DATASOURCE,
    description,
    hide: VariableHide.dontHide,
    includeAll: true,
    label,
    multi: true,
    name,
    options: [],
    query: { query, refId: `Variable ${name}` },
    refresh: ON_TIME_RANGE_CHANGE,
    regex: '',
    skipUrlSync: false,
    sort: 1,
    type: 'query',
  };
}

const variables: VariableModel[] = [
  {
    current: { selected: false, text: 'Prometheus', value: 'prometheus' },
    description: 'The Prometheus that scrapes the exporter',
    hide: VariableHide.dontHide,
    includeAll: false,
    label: 'Data source',
    multi: false,
    name: 'datasource',
    options: [],
    query: 'prometheus',
    refresh: 1,
    regex: '',
    skipUrlSync: false,
    type: 'datasource',
  },
  // Exporters of one account need not have the label: All is whatever it is.
  labelVariable(
    'account',
    'Account',
    'The label "account" of the exporters, if their scrape sets one',
    'cotalker_exporter_build_info',
    '.*',
  ),
  labelVariable('job', 'Job', 'The scrape jobs of the exporters', 'cotalker_exporter_build_info{account=~"$account"}'),
  labelVariable(
    'instance',
    'Instance',
    'The exporters',
    'cotalker_exporter_build_info{account=~"$account", job=~"$job"}',
  ),
  {
    current: { selected: false, text: 'http://localhost:10942', value: 'http://localhost:10942' },
    description: 'Where the status page of the exporter is, for the links of the webhooks',
    hide: VariableHide.dontHide,
    label: 'Exporter page',
    name: 'exporter',
    options: [{ selected: true, text: 'http://localhost:10942', value: 'http://localhost:10942' }],
    query: 'http://localhost:10942',
    skipUrlSync: false,
    type: 'textbox',
  },
  labelVariable(
    'webhook',
    'Webhook',
    'The webhooks of the second row. The first and the third row show all',
    select('cotalker_webhook_active'),
  ),
];

function panels(): NonNullable<Dashboard['panels']> {
  let top = 0;
  const all = [overview, chosenWebhooks, exporter].flatMap((row) => {
    const [placed, bottom] = row(top);
    top = bottom;
    return placed;
  });
  return all.map((panel, index) => ({ ...panel, id: index + 1 }));
}

export const dashboard: Dashboard = {
  annotations: {
    list: [
      {
        builtIn: 1,
        datasource: { type: 'grafana', uid: '-- Grafana --' },
        enable: true,
        hide: true,
        iconColor: 'rgba(0, 211, 255, 1)',
        name: 'Annotations & Alerts',
        // The changes of state of Grafana's own rules that are linked to a panel are drawn into it by themselves.
        type: 'dashboard',
      },
    ],
  },
  description: 'Which Cotalker webhooks are broken, why, and whether the exporter itself works.',
  // The file is the truth: a copy is saved under another name.
  editable: false,
  fiscalYearStartMonth: 0,
  graphTooltip: DashboardCursorSync.Crosshair,
  links: [
    link('Runbooks', 'What to do about each alert', `${REPOSITORY}/blob/main/docs/runbooks.md`),
    link('Metrics', 'What each metric means', `${REPOSITORY}/blob/main/docs/metrics.md`),
  ],
  panels: panels(),
  refresh: '1m',
  // Of Grafana 10.0, the oldest that this is for; younger ones bring it up to date when they load it.
  schemaVersion: 38,
  tags: ['cotalker', 'webhooks'],
  templating: { list: variables },
  time: { from: 'now-6h', to: 'now' },
  timepicker: {},
  timezone: 'browser',
  title: 'Cotalker webhooks',
  uid: 'cotalker-webhooks',
  version: 1,
  weekStart: '',
};
