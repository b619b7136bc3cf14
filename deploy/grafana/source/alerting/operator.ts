// deploy/grafana/operator: resources of the Grafana operator (grafana.integreatly.org/v1beta1).
import type { Dashboard } from '@grafana/schema';
import { EVALUATED_EVERY, grafanaRules } from './grafana';
import {
  ALWAYS,
  ALWAYS_MUTED,
  FOLDER,
  GROUP,
  MUTED,
  OUTSIDE_WORKING_HOURS,
  RECEIVERS,
  TEMPLATE,
} from './messages';
import { contactPointSettings, grafanaRoutes } from './provisioning';
import { yaml } from './yaml';

const DATASOURCE_UID = 'prometheus';
const API = 'grafana.integreatly.org/v1beta1';
/** The Grafana that they are for. */
const INSTANCE = { instanceSelector: { matchLabels: { dashboards: 'grafana' } } };
const SOURCE =
  'https://raw.githubusercontent.com/cotalker-webhook-exporter/cotalker-webhook-exporter/main/deploy/grafana/dashboard.json';
const POLICY = { 'cotalker-webhook-exporter': 'alerts' };

interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: Record<string, unknown>;
}

function resource(kind: string, name: string, spec: Record<string, unknown>, labels?: Record<string, string>): Resource {
  return { apiVersion: API, kind, metadata: { name, ...(labels ? { labels } : {}) }, spec: { ...INSTANCE, ...spec } };
}

/** The URL of a contact point is a secret: whoever has it can send. */
function contactPoint(name: string, key: string): Resource {
  const { url: _, ...settings } = contactPointSettings('');
  return resource('GrafanaContactPoint', name, {
    name,
    type: 'webhook',
    settings,
    valuesFrom: [{ targetPath: 'url', valueFrom: { secretKeyRef: { name: 'cotalker-contact-points', key } } }],
  });
}

export function operatorResources(dashboard: Dashboard): Resource[] {
  return [
    resource('GrafanaFolder', 'cotalker', { title: FOLDER }),
    resource('GrafanaDashboard', 'cotalker-webhooks', { folderRef: 'cotalker', url: SOURCE, contentCacheDuration: '24h' }),
    resource('GrafanaAlertRuleGroup', GROUP, {
      name: GROUP,
      folderRef: 'cotalker',
      interval: EVALUATED_EVERY,
      rules: grafanaRules(dashboard, DATASOURCE_UID),
    }),
    resource('GrafanaNotificationTemplate', 'cotalker', { name: 'cotalker', template: TEMPLATE }),
    resource('GrafanaMuteTiming', MUTED, { name: MUTED, time_intervals: OUTSIDE_WORKING_HOURS }),
    resource('GrafanaMuteTiming', ALWAYS_MUTED, { name: ALWAYS_MUTED, time_intervals: ALWAYS }),
    contactPoint(RECEIVERS.page, 'page-url'),
    contactPoint(RECEIVERS.ticket, 'ticket-url'),
    // The policy of the whole Grafana: leave it out if there is one, and have that select the route below.
    resource('GrafanaNotificationPolicy', 'cotalker', {
      route: {
        receiver: RECEIVERS.ticket,
        group_by: ['grafana_folder', 'alertname'],
        routeSelector: { matchLabels: POLICY },
      },
    }),
    {
      apiVersion: API,
      kind: 'GrafanaNotificationPolicyRoute',
      metadata: { name: 'cotalker', labels: POLICY },
      spec: grafanaRoutes() as Record<string, unknown>,
    },
  ];
}

export function operatorFile(dashboard: Dashboard): string {
  const head = `# Written by scripts/test-dashboard --write, from deploy/grafana/source/alerting. See docs/alerts.md.
# They need a Secret cotalker-contact-points with the keys page-url and ticket-url. The uid of the data source is
# "${DATASOURCE_UID}", the Grafana the one with the label dashboards=grafana: the chart's grafanaOperator has values for both.
`;
  const all = operatorResources(dashboard).map((one) => yaml(one));
  return head + all.join('---\n');
}
