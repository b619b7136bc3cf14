import { readFile } from 'node:fs/promises';
import type { Dashboard, Panel } from '@grafana/schema';
import { alertingFiles } from '../source/alerting/files';
import { dashboard } from '../source/dashboard';
import { setting } from './stack';

/** What the file of a dashboard holds. */
export function text(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** The file that users import. */
export async function committed(): Promise<Dashboard> {
  return JSON.parse(await readFile(setting('DASHBOARD'), 'utf8')) as Dashboard;
}

/** Whether a kind of panel has queries. */
export function asks(type: string): boolean {
  return type !== 'row' && type !== 'alertlist';
}

/** The panels that ask Prometheus; the list of alerts asks Grafana. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).filter((panel): panel is Panel => asks(panel.type));
}

/** Every file that is written from the source, by its path below deploy/. */
export function written(): Record<string, string> {
  return {
    'grafana/dashboard.json': text(dashboard),
    'helm/cotalker-webhook-exporter/files/dashboard.json': text(dashboard),
    ...alertingFiles(dashboard),
  };
}
