// deploy/grafana/terraform: an example for Terraform's provider grafana/grafana, in Terraform's JSON syntax.
import type { Dashboard } from '@grafana/schema';
import { grafanaRules } from './grafana';
import { ALWAYS, ALWAYS_MUTED, FOLDER, GROUP, MUTED, OUTSIDE_WORKING_HOURS, RECEIVERS, TEMPLATE, TIMING, groupBy } from './messages';
import { contactPointSettings } from './provisioning';

const INTERVAL_SECONDS = 60;

/** What Terraform would take for a template of its own. */
function literal(text: string): string {
  return text.replaceAll('${', '$${').replaceAll('%{', '%%{');
}

function literals(texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, literal(text)]));
}

interface Interval {
  weekdays?: string[];
  times?: { start_time: string; end_time: string }[];
}

function intervals(all: Interval[]): object[] {
  return all.map(({ weekdays, times }) => ({
    ...(weekdays ? { weekdays } : {}),
    ...(times ? { times: times.map(({ start_time, end_time }) => ({ start: start_time, end: end_time })) } : {}),
  }));
}

function policy(severity: 'page' | 'ticket' | 'info', scope: 'receiver' | 'exporter'): object {
  const kind = severity === 'page' ? 'page' : 'ticket';
  const muted = { page: [], ticket: ['outside_working_hours'], info: ['always'] }[severity];
  return {
    contact_point: `\${grafana_contact_point.${kind}.name}`,
    matcher: [
      { label: 'severity', match: '=', value: severity },
      ...(scope === 'receiver' ? [{ label: 'scope', match: '=', value: scope }] : []),
    ],
    group_by: groupBy(scope),
    ...TIMING[kind],
    ...(muted.length > 0 ? { mute_timings: muted.map((name) => `\${grafana_mute_timing.${name}.name}`) } : {}),
  };
}

export function terraform(dashboard: Dashboard): object {
  const contactPoint = (severity: 'page' | 'ticket') => {
    const { url: _, httpMethod, title, message } = contactPointSettings('');
    return {
      name: RECEIVERS[severity],
      webhook: [{ url: `\${var.${severity}_url}`, http_method: httpMethod, title, message }],
    };
  };
  const rules = grafanaRules(dashboard, '${var.datasource_uid}').map((rule) => ({
    uid: rule.uid,
    name: rule.title,
    condition: rule.condition,
    data: rule.data.map((query) => ({
      ref_id: query.refId,
      relative_time_range: [query.relativeTimeRange],
      datasource_uid: query.datasourceUid,
      model: literal(JSON.stringify(query.model)),
    })),
    no_data_state: rule.noDataState,
    exec_err_state: rule.execErrState,
    for: rule.for,
    labels: rule.labels,
    annotations: literals(rule.annotations),
  }));
  return {
    terraform: { required_providers: { grafana: { source: 'grafana/grafana', version: '>= 4.0' } } },
    variable: {
      datasource_uid: { type: 'string', description: 'The uid of the data source for Prometheus' },
      page_url: { type: 'string', sensitive: true, description: 'Where pages are sent' },
      ticket_url: { type: 'string', sensitive: true, description: 'Where tickets are sent' },
    },
    resource: {
      grafana_folder: { cotalker: { title: FOLDER } },
      grafana_dashboard: {
        cotalker: { folder: '${grafana_folder.cotalker.uid}', config_json: '${file("${path.module}/../dashboard.json")}' },
      },
      grafana_rule_group: {
        cotalker: {
          name: GROUP,
          folder_uid: '${grafana_folder.cotalker.uid}',
          interval_seconds: INTERVAL_SECONDS,
          rule: rules,
        },
      },
      grafana_message_template: { cotalker: { name: 'cotalker', template: literal(TEMPLATE) } },
      grafana_mute_timing: {
        outside_working_hours: { name: MUTED, intervals: intervals(OUTSIDE_WORKING_HOURS) },
        always: { name: ALWAYS_MUTED, intervals: intervals(ALWAYS) },
      },
      grafana_contact_point: { page: contactPoint('page'), ticket: contactPoint('ticket') },
      // The policy of the whole organisation: if there is one, add the policies to it instead.
      grafana_notification_policy: {
        cotalker: {
          contact_point: '${grafana_contact_point.ticket.name}',
          group_by: ['grafana_folder', 'alertname'],
          policy: [
            {
              contact_point: '${grafana_contact_point.ticket.name}',
              matcher: [{ label: 'alertname', match: '=~', value: 'Cotalker.+' }],
              group_by: groupBy('receiver'),
              policy: [
                policy('page', 'receiver'),
                policy('page', 'exporter'),
                policy('ticket', 'receiver'),
                policy('ticket', 'exporter'),
                policy('info', 'exporter'),
              ],
            },
          ],
        },
      },
    },
  };
}

export function terraformFile(dashboard: Dashboard): string {
  return `${JSON.stringify({ '//': 'Written by scripts/test-dashboard --write, from deploy/grafana/source/alerting. See docs/alerts.md.', ...terraform(dashboard) }, null, 2)}\n`;
}
