// The browser that the dashboard is drawn in. It asks no server for anything: what it needs is handed to it from disk.
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Picture } from './picture';
import { setting } from './stack';

const ORIGIN = 'http://dashboard.invalid';

const KINDS: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: setting('CHROMIUM'),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Grafana's icons come with its package, its fonts do not. */
function fileFor(path: string): string {
  const icon = /\/img\/icons\/(.*)$/.exec(path);
  if (icon) return join(setting('NODE_MODULES'), '@grafana/ui/dist/public/img/icons', icon[1]!);
  const font = /\/fonts\/inter\/Inter-(\w+)\.woff2$/.exec(path);
  const weight = { Regular: 400, Medium: 500 }[font?.[1] ?? ''];
  if (weight) return join(setting('NODE_MODULES'), `@fontsource/inter/files/inter-latin-${weight}-normal.woff2`);
  return join(setting('BUILT'), path);
}

export interface Drawn {
  png: Buffer;
  /** The text of each panel, by its id, legends and cells included. */
  texts: Map<number, string>;
  /** How many pixels a panel's curves took, by its id. */
  plots: Map<number, number>;
  /** The tables' cells in their order on the screen, and whether each has a background of its own. */
  cells: { row: string; text: string; color: string; background: string; own: boolean }[];
  /** What the browser complained about. */
  complaints: string[];
}

export async function draw(browser: Browser, picture: Picture): Promise<Drawn> {
  const page = await browser.newPage({ viewport: { width: picture.width, height: 600 } });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/') {
      const body = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/page.css"><div id="root"></div><script type="module" src="/page.js"></script>`;
      return route.fulfill({ contentType: 'text/html', body });
    }
    const file = fileFor(pathname);
    try {
      await route.fulfill({
        contentType: KINDS[extname(file)] ?? 'application/octet-stream',
        body: await readFile(file),
      });
    } catch {
      complaints.push(`asked for ${pathname}`);
      await route.abort();
    }
  });
  await page.addInitScript((given) => Object.assign(window, { picture: given, __grafana_public_path__: '/' }), picture);
  await page.goto(`${ORIGIN}/`);
  const board = page.locator('#board');
  await board.waitFor({ timeout: 30_000 }).catch(() => {
    throw new Error(`nothing was drawn: ${complaints.join('; ')}`);
  });
  const { height } = (await board.boundingBox())!;
  await page.setViewportSize({ width: picture.width, height: Math.ceil(height) });
  const plots = picture.panels.filter((panel) => panel.type === 'timeseries').length;
  await page.waitForFunction((count) => document.querySelectorAll('.u-over').length === count, plots, {
    timeout: 60_000,
  });
  // Two frames later all that was asked to be drawn is on the screen.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  const found = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[data-panel]')].map((panel) => {
      const canvas = panel.querySelector<HTMLCanvasElement>('.uplot canvas');
      let drawn = -1;
      if (canvas) {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        drawn = 0;
        // Grid and scales are grey; curves are not.
        for (let at = 0; at < data.length; at += 4) {
          const [red, green, blue, alpha] = data.subarray(at, at + 4) as unknown as [number, number, number, number];
          if (alpha > 128 && Math.max(red, green, blue) - Math.min(red, green, blue) > 24) drawn++;
        }
      }
      return { id: Number(panel.dataset['panel']), text: panel.innerText, drawn };
    }),
  );
  const cells = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[role=gridcell]')].map((cell) => {
      const first = cell.closest('[role=row]')!.querySelector<HTMLElement>('[role=gridcell]')!;
      const { backgroundColor: background, color } = getComputedStyle(cell);
      const own = background !== getComputedStyle(first).backgroundColor;
      return { row: first.innerText, text: cell.innerText.trim(), color, background, own };
    }),
  );
  const png = await board.screenshot();
  await page.close();
  return {
    png,
    texts: new Map(found.map(({ id, text }) => [id, text])),
    plots: new Map(found.filter(({ drawn }) => drawn >= 0).map(({ id, drawn }) => [id, drawn])),
    cells,
    complaints,
  };
}
