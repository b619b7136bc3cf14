// deploy/prometheus/alertmanager.yml and alertmanager-config.yaml: the same routes as in Grafana, and inhibition.
import {
  CONSEQUENCES,
  EXPORTER,
  MUTED,
  OUTAGES,
  OUTSIDE_WORKING_HOURS,
  PAGES,
  RECEIVERS,
  TEMPLATE,
  TIMING,
  groupBy,
} from './messages';
import { yaml } from './yaml';

const HEAD = '# Written by scripts/test-dashboard --write, from deploy/grafana/source/alerting. See docs/alerts.md.\n';
const NOBODY = 'cotalker-nobody';

const NAMED = ['CotalkerReceiverCertificateExpired', 'CotalkerReceiverDnsGone'];
const WEBHOOK = [...EXPORTER, 'webhook_id'];

interface Rule {
  source: string[];
  target: string[];
  equal: string[];
}

/**
 * What is told already. While an outage lasts nobody knows how receivers are, so that their alerts end after twenty
 * minutes; nobody is told that they are well, and if they come again, nothing is new. The labels of a webhook are its own.
 */
const INHIBITED: Rule[] = [
  { source: NAMED, target: ['CotalkerWebhookBlocked'], equal: WEBHOOK },
  { source: [...NAMED, 'CotalkerWebhookBlocked'], target: ['CotalkerWebhookFailing', ...CONSEQUENCES], equal: WEBHOOK },
  { source: ['CotalkerWebhookFailing'], target: CONSEQUENCES, equal: WEBHOOK },
  { source: ['CotalkerManyEventsLost'], target: ['CotalkerEventLost'], equal: WEBHOOK },
  { source: ['CotalkerDataStale'], target: [...PAGES, ...CONSEQUENCES], equal: WEBHOOK },
  { source: OUTAGES, target: ['CotalkerDataStale', 'CotalkerPollsIncomplete', ...PAGES, ...CONSEQUENCES], equal: EXPORTER },
  { source: ['CotalkerApiUnauthorized'], target: ['CotalkerApiUnreadable', 'CotalkerTokenExpires', 'CotalkerTokenExpiresSoon'], equal: EXPORTER },
  { source: ['CotalkerDataStale'], target: ['CotalkerPollsIncomplete'], equal: EXPORTER },
];

const anyOf = (names: string[]) => names.join('|');

export function alertmanagerFile(): string {
  const routes = (['page', 'ticket'] as const).flatMap((severity) => {
    const mute = severity === 'ticket' ? { mute_time_intervals: [MUTED] } : {};
    const common = { receiver: RECEIVERS[severity], ...TIMING[severity], ...mute };
    return [
      { matchers: [`severity="${severity}"`, 'scope="receiver"'], group_by: groupBy('receiver'), ...common },
      { matchers: [`severity="${severity}"`], group_by: groupBy('exporter'), ...common },
    ];
  });
  return `${HEAD}# The URLs are where your messages go; the text is in the template.\n${yaml({
      templates: ['cotalker.tmpl'],
      route: {
        receiver: NOBODY,
        routes: [{ receiver: NOBODY, matchers: ['alertname=~"Cotalker.+"'], routes }],
      },
      inhibit_rules: INHIBITED.map((rule) => ({
        source_matchers: [`alertname=~"${anyOf(rule.source)}"`],
        target_matchers: [`alertname=~"${anyOf(rule.target)}"`],
        equal: rule.equal,
      })),
      time_intervals: [{ name: MUTED, time_intervals: OUTSIDE_WORKING_HOURS }],
      receivers: [
        { name: NOBODY },
        ...Object.values(RECEIVERS).map((name) => ({
          name,
          webhook_configs: [{ url: `http://127.0.0.1:8080/${name}`, send_resolved: true }],
        })),
      ],
  })}`;
}

export const templateFile = TEMPLATE;

interface Matcher {
  name: string;
  matchType: '=' | '=~';
  value: string;
}

/** For the Prometheus operator. It adds a matcher on the namespace to route and inhibition by itself. */
export function alertmanagerConfig(): object {
  const matcher = (name: string, value: string): Matcher => ({ name, matchType: '=', value });
  const names = (all: string[]): Matcher => ({ name: 'alertname', matchType: '=~', value: anyOf(all) });
  const times = (timing: (typeof TIMING)['page']) => ({
    groupWait: timing.group_wait,
    groupInterval: timing.group_interval,
    repeatInterval: timing.repeat_interval.replace('1d', '24h'),
  });
  const routes = (['page', 'ticket'] as const).flatMap((severity) => {
    const mute = severity === 'ticket' ? { muteTimeIntervals: [MUTED] } : {};
    const common = { receiver: RECEIVERS[severity], ...times(TIMING[severity]), ...mute };
    return [
      { matchers: [matcher('severity', severity), matcher('scope', 'receiver')], groupBy: groupBy('receiver'), ...common },
      { matchers: [matcher('severity', severity)], groupBy: groupBy('exporter'), ...common },
    ];
  });
  return {
    apiVersion: 'monitoring.coreos.com/v1alpha1',
    kind: 'AlertmanagerConfig',
    metadata: { name: 'cotalker' },
    spec: {
      route: { receiver: NOBODY, matchers: [{ name: 'alertname', matchType: '=~', value: 'Cotalker.+' }], routes },
      inhibitRules: INHIBITED.map((rule) => ({
        sourceMatch: [names(rule.source)],
        targetMatch: [names(rule.target)],
        equal: rule.equal,
      })),
      muteTimeIntervals: [
        {
          name: MUTED,
          timeIntervals: OUTSIDE_WORKING_HOURS.map(({ weekdays, times: within }) => ({
            weekdays,
            ...(within
              ? { times: within.map(({ start_time, end_time }) => ({ startTime: start_time, endTime: end_time })) }
              : {}),
          })),
        },
      ],
      receivers: [
        { name: NOBODY },
        ...Object.entries(RECEIVERS).map(([severity, name]) => ({
          name,
          webhookConfigs: [
            { urlSecret: { name: 'cotalker-contact-points', key: `${severity}-url` }, sendResolved: true },
          ],
        })),
      ],
    },
  };
}

export function alertmanagerConfigFile(): string {
  return `${HEAD}# It needs a Secret cotalker-contact-points with the keys page-url and ticket-url.\n${yaml(alertmanagerConfig())}`;
}
