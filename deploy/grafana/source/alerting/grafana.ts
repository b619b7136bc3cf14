// Grafana's own rules. Each form of them is made from these: files to provision, the operator's resources, Terraform.
import type { Dashboard, Panel } from '@grafana/schema';
import { alerts } from './rules';
import type { Alert } from './rule';
import { annotations, labels } from './texts';

/** The expressions of Grafana's own, by the uid of their data source. */
const EXPRESSIONS = '__expr__';

/** The template's name for the number that the query gave. Grafana's `$value` is a text of all numbers. */
const VALUE = '$values.A.Value';

/** Prometheus looks back for this long by itself; an instant query needs no more. */
const LOOK_BACK_SECONDS = 600;

export interface GrafanaRule {
  uid: string;
  title: string;
  condition: string;
  data: GrafanaQuery[];
  noDataState: 'OK';
  execErrState: 'Error';
  for: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface GrafanaQuery {
  refId: string;
  relativeTimeRange: { from: number; to: number };
  datasourceUid: string;
  model: Record<string, unknown>;
}

/**
 * A is the expression of Prometheus, which gives a series where something is wrong, whatever its value, even 0; B is 1 where
 * there is one; C compares. No series is what it should be.
 */
function data(rule: Alert, datasourceUid: string): GrafanaQuery[] {
  const expression = (refId: string, model: Record<string, unknown>): GrafanaQuery => ({
    refId,
    relativeTimeRange: { from: 0, to: 0 },
    datasourceUid: EXPRESSIONS,
    model: { refId, datasource: { type: EXPRESSIONS, uid: EXPRESSIONS }, ...model },
  });
  return [
    {
      refId: 'A',
      relativeTimeRange: { from: LOOK_BACK_SECONDS, to: 0 },
      datasourceUid,
      model: { refId: 'A', expr: `${rule.expr}${rule.unlessInGrafana ?? ''}`, instant: true, range: false, editorMode: 'code' },
    },
    expression('B', { type: 'math', expression: 'is_number($A)' }),
    expression('C', {
      type: 'threshold',
      expression: 'B',
      conditions: [{ evaluator: { type: 'gt', params: [0] } }],
    }),
  ];
}

/** The panel of the dashboard that shows what an alert watches. */
export function panelOf(dashboard: Dashboard, alert: string): Panel {
  const found = ((dashboard.panels ?? []) as Panel[]).find(({ links }) =>
    (links ?? []).some(({ url }) => url?.endsWith(`#${alert.toLowerCase()}`)),
  );
  if (!found) throw new Error(`no panel shows what ${alert} watches`);
  return found;
}

/** At most 40 characters, and unique in an organisation. */
function uidOf(alert: string): string {
  return alert.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();
}

export function grafanaRules(dashboard: Dashboard, datasourceUid: string): GrafanaRule[] {
  return alerts.map((rule) => ({
    uid: uidOf(rule.alert),
    title: rule.alert,
    condition: 'C',
    data: data(rule, datasourceUid),
    noDataState: 'OK',
    execErrState: 'Error',
    for: rule.for ?? '0s',
    labels: labels(rule),
    annotations: {
      ...annotations(rule, VALUE),
      __dashboardUid__: dashboard.uid!,
      __panelId__: String(panelOf(dashboard, rule.alert).id),
    },
  }));
}

/** How often the rules are evaluated. */
export const EVALUATED_EVERY = '1m';
