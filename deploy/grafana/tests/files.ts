import { readFile } from 'node:fs/promises';
import type { Dashboard, Panel } from '@grafana/schema';
import { setting } from './stack';

/** What the file of a dashboard holds. */
export function text(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** The file that users import. */
export async function committed(): Promise<Dashboard> {
  return JSON.parse(await readFile(setting('DASHBOARD'), 'utf8')) as Dashboard;
}

export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row');
}
