// The dashboard as grafana.com wants it: an import then asks which data source is meant.
import type { Dashboard } from '@grafana/schema';

const INPUT = 'DS_PROMETHEUS';

export function forUpload(dashboard: Dashboard): object {
  const kinds = [...new Set((dashboard.panels ?? []).map(({ type }) => type))].filter((type) => type !== 'row').sort();
  const list = (dashboard.templating?.list ?? []).map((variable) =>
    variable.name === 'datasource'
      ? { ...variable, current: { selected: false, text: 'Prometheus', value: `\${${INPUT}}` } }
      : variable,
  );
  return {
    __inputs: [
      {
        name: INPUT,
        label: 'Prometheus',
        description: 'The Prometheus that scrapes the exporter',
        type: 'datasource',
        pluginId: 'prometheus',
        pluginName: 'Prometheus',
      },
    ],
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: '10.0.0' },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
      ...kinds.map((id) => ({ type: 'panel', id, name: id, version: '' })),
    ],
    ...dashboard,
    templating: { list },
    // It has none until it is imported.
    id: null,
  };
}
