// deploy/grafana/alerting: files for Grafana's provisioning.
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
  TIMING,
  groupBy,
} from './messages';
import { yaml } from './yaml';

const ORGANISATION = 1;
const HEAD = '# Written by scripts/test-dashboard --write, from deploy/grafana/source/alerting. See docs/alerts.md.\n';

function file(content: object, comment = ''): string {
  return `${HEAD}${comment}${yaml({ apiVersion: 1, ...content })}`;
}

type Matcher = [label: string, operator: string, value: string];

function route(receiver: string, matchers: Matcher[], group_by: string[], timing: object, more: object = {}): object {
  return { receiver, object_matchers: matchers, group_by, ...timing, ...more };
}

/** The routes of Cotalker's alerts, below a route of their own: whatever other alerts do, they are not touched. */
export function grafanaRoutes(): object {
  const of = (severity: 'page' | 'ticket') => {
    const mute = severity === 'ticket' ? { mute_time_intervals: [MUTED] } : {};
    const matcher: Matcher = ['severity', '=', severity];
    return [
      route(RECEIVERS[severity], [matcher, ['scope', '=', 'receiver']], groupBy('receiver'), TIMING[severity], mute),
      route(RECEIVERS[severity], [matcher], groupBy('exporter'), TIMING[severity], mute),
    ];
  };
  const info = route(RECEIVERS.ticket, [['severity', '=', 'info']], groupBy('receiver'), TIMING.ticket, {
    mute_time_intervals: [ALWAYS_MUTED],
  });
  return route(RECEIVERS.ticket, [['alertname', '=~', 'Cotalker.+']], groupBy('receiver'), TIMING.ticket, {
    routes: [...of('page'), ...of('ticket'), info],
  });
}

export function contactPointSettings(url: string): Record<string, unknown> {
  return {
    url,
    httpMethod: 'POST',
    title: '{{ template "cotalker.title" . }}',
    message: '{{ template "cotalker.message" . }}',
  };
}

/** Each file by its name. */
export function provisioningFiles(dashboard: Dashboard): Record<string, string> {
  const contactPoint = (name: string, url: string) => ({
    orgId: ORGANISATION,
    name,
    receivers: [{ uid: name, type: 'webhook', settings: contactPointSettings(url), disableResolveMessage: false }],
  });
  return {
    'rules.yaml': file(
      {
        groups: [
          {
            orgId: ORGANISATION,
            name: GROUP,
            folder: FOLDER,
            interval: EVALUATED_EVERY,
            rules: grafanaRules(dashboard, '${COTALKER_DATASOURCE_UID}').map((rule) => ({
              ...rule,
              dashboardUid: rule.annotations['__dashboardUid__'],
              panelId: Number(rule.annotations['__panelId__']),
            })),
          },
        ],
      },
      '# COTALKER_DATASOURCE_UID: the uid of the data source for Prometheus, from the environment of Grafana.\n',
    ),
    'contact-points.yaml': file(
      {
        contactPoints: [
          contactPoint(RECEIVERS.page, '${COTALKER_PAGE_URL}'),
          contactPoint(RECEIVERS.ticket, '${COTALKER_TICKET_URL}'),
        ],
      },
      '# Two receivers of messages, from the environment of Grafana. Any other type will do as well.\n',
    ),
    'policy.yaml': file(
      {
        policies: [
          {
            orgId: ORGANISATION,
            receiver: RECEIVERS.ticket,
            group_by: ['grafana_folder', 'alertname'],
            routes: [grafanaRoutes()],
          },
        ],
      },
      '# This replaces the whole notification policy of the organisation. If it has one, add the route to it by hand.\n',
    ),
    'mute-timings.yaml': file(
      {
        muteTimes: [
          { orgId: ORGANISATION, name: MUTED, time_intervals: OUTSIDE_WORKING_HOURS },
          { orgId: ORGANISATION, name: ALWAYS_MUTED, time_intervals: ALWAYS },
        ],
      },
      '# Tickets wait for the working day (UTC), and infos are never sent.\n',
    ),
    'templates.yaml': file({ templates: [{ orgId: ORGANISATION, name: 'cotalker', template: TEMPLATE }] }),
  };
}
