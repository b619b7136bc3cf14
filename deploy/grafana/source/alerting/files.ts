// Every file that is written from the source of the alerts, by its path below deploy/.
import type { Dashboard } from '@grafana/schema';
import { alertmanagerConfigFile, alertmanagerFile, templateFile } from './alertmanager';
import { EVALUATED_EVERY, grafanaRules } from './grafana';
import { FOLDER, GROUP } from './messages';
import { operatorFile, operatorResources } from './operator';
import { alertsFile, rulesFile } from './prometheus';
import { contactPointSettings, provisioningFiles } from './provisioning';
import { terraformFile } from './terraform';

const CHART = 'helm/cotalker-webhook-exporter/files';

/** What the chart makes its objects of: the uid of the data source is put in there. */
function chartFile(dashboard: Dashboard): string {
  const policy = operatorResources(dashboard).filter(({ kind }) =>
    ['GrafanaNotificationTemplate', 'GrafanaMuteTiming', 'GrafanaNotificationPolicyRoute'].includes(kind),
  );
  const { url: _, ...settings } = contactPointSettings('');
  const content = {
    folder: FOLDER,
    group: GROUP,
    interval: EVALUATED_EVERY,
    rules: grafanaRules(dashboard, ''),
    contactPoint: settings,
    notifications: policy.map(({ kind, metadata, spec: { instanceSelector: __, ...spec } }) => ({ kind, name: metadata.name, spec })),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

export function alertingFiles(dashboard: Dashboard): Record<string, string> {
  const rules = rulesFile();
  return {
    'prometheus/rules.yml': rules,
    'prometheus/alerts.yml': alertsFile(),
    [`${CHART}/rules.yml`]: rules,
    [`${CHART}/grafana-alerts.json`]: chartFile(dashboard),
    'prometheus/alertmanager.yml': alertmanagerFile(),
    'prometheus/cotalker.tmpl': templateFile,
    'prometheus/alertmanager-config.yaml': alertmanagerConfigFile(),
    ...Object.fromEntries(
      Object.entries(provisioningFiles(dashboard)).map(([name, text]) => [`grafana/alerting/${name}`, text]),
    ),
    'grafana/operator/alerting.yaml': operatorFile(dashboard),
    'grafana/terraform/main.tf.json': terraformFile(dashboard),
  };
}
