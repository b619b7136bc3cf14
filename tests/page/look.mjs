// Opens pages in Chromium: asks axe for faults, measures, and takes pictures.
//
// The argument is a list of scenes as JSON. Pictures go to screenshots/. With UPDATE_PICTURES those of the documentation go
// into the directory that this names.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const SCREEN = { width: 390, height: 844 };
const DEVICES = {
  phone: { viewport: SCREEN, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 900 } },
};
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const scenes = JSON.parse(process.argv[2]);
const findings = [];
let looks = 0;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

async function open(url, { device, colorScheme, language }) {
  const context = await browser.newContext({ ...DEVICES[device], colorScheme, locale: language === 'es' ? 'es-CL' : 'en-US' });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  const response = await page.goto(url);
  return { context, page, response, complaints };
}

/** What axe finds. `target-size` is off by default, and what a thumb needs. */
async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }));
  return violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes.length} × ${nodes[0].html.slice(0, 200)}: ${nodes[0].failureSummary}`);
}

async function look(scene, view) {
  // A page that reloads while axe looks at it is two pages.
  const still = new URL(scene.url);
  still.searchParams.set('refresh', '0');
  const { context, page, response, complaints } = await open(still.href, view);
  const label = [scene.name, view.device, view.colorScheme, view.language].join('-');
  const note = (text) => findings.push(`${label}: ${text}`);
  const headers = response.headers();
  if (response.status() !== scene.status) note(`status ${response.status()}`);
  if (headers['content-language'] !== view.language) note(`Content-Language: ${headers['content-language']}`);
  const lang = await page.evaluate(() => document.documentElement.lang);
  if (lang !== view.language) note(`lang=${lang}`);
  const size = await page.evaluate(() => ({ height: document.documentElement.scrollHeight, overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth }));
  if (size.overflow > 0) note(`${size.overflow} pixels wider than the screen`);
  const screens = size.height / SCREEN.height;
  if (view.device === 'phone') {
    console.log(`${label}: ${screens.toFixed(1)} screens`);
    if (scene.mostScreens && screens > scene.mostScreens) note(`${screens.toFixed(2)} screens high`);
  }
  await page.screenshot({ path: join('screenshots', `${label}.png`), fullPage: true });
  for (const fault of await faults(page)) note(fault);
  const folds = await page.evaluate(() => {
    const closed = [...document.querySelectorAll('details:not([open])')];
    for (const details of closed) details.open = true;
    return closed.length;
  });
  if (folds > 0) {
    for (const fault of await faults(page)) note(`unfolded: ${fault}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) note(`unfolded: ${overflow} pixels wider than the screen`);
  }
  // Chromium says of a 404 that it is one.
  for (const complaint of complaints) if (scene.status === 200) note(`the browser says: ${complaint}`);
  looks += 1;
  await context.close();
}

/** An anchor opens what it is folded in; the filter finds without script, and keeps what it was told. */
async function use(scene) {
  const { context, page } = await open(scene.url, { device: 'phone', colorScheme: 'light', language: 'en' });
  const id = await page.evaluate(() => [...document.querySelectorAll('details:not([open]) tr[id]')].at(-1).id);
  await page.goto(`${scene.url}#${id}`);
  assert.ok(await page.locator(`#${id}`).isVisible(), `#${id} is in sight`);
  await page.goto(scene.url);
  await page.getByLabel('Code, name, id or host').fill('HOOK_00042');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.waitForURL(/\?q=HOOK_00042&state=$/);
  await page.getByText('1 of 300 webhooks').waitFor();
  assert.equal(await page.getByLabel('Code, name, id or host').inputValue(), 'HOOK_00042');
  await page.getByRole('link', { name: 'Stop reloading' }).click();
  await page.waitForURL(/\?q=HOOK_00042&refresh=0$/);
  await page.getByText('Does not reload.').waitFor();
  await page.getByRole('link', { name: 'Clear the filter' }).click();
  await page.waitForURL(/\/\?refresh=0$/);
  await page.goto(`${scene.url}?q=hook_00042`);
  await page.getByRole('link', { name: 'hook_00042' }).click();
  await page.waitForURL(/\/webhooks\/[0-9a-f]{24}$/);
  await page.getByRole('link', { name: 'All webhooks' }).click();
  await page.waitForURL(scene.url);
  await context.close();
}

/** The pictures of the documentation. */
async function picture(name, file, options) {
  const scene = scenes.find((scene) => scene.name === name);
  const { context, page } = await open(scene.url, { device: 'desktop', colorScheme: 'light', language: 'en' });
  await page.setViewportSize(options.size);
  await page.screenshot({ path: join(process.env.UPDATE_PICTURES, file), fullPage: options.fullPage ?? false });
  await context.close();
}

// Each two of device, colours and language meet once.
const VIEWS = [
  { device: 'phone', colorScheme: 'light', language: 'en' },
  { device: 'phone', colorScheme: 'dark', language: 'es' },
  { device: 'desktop', colorScheme: 'light', language: 'es' },
  { device: 'desktop', colorScheme: 'dark', language: 'en' },
];

await mkdir('screenshots', { recursive: true });
for (const scene of scenes)
  for (const view of VIEWS) await look(scene, view);
await use(scenes.find((scene) => scene.name === 'three-hundred'));
if (process.env.UPDATE_PICTURES) {
  await picture('demo', 'page.png', { size: { width: 1200, height: 1180 } });
  await picture('demo-webhook', 'page-webhook.png', { size: { width: 1200, height: 1180 } });
  await picture('three-hundred', 'page-300.png', { size: { width: 1200, height: 900 }, fullPage: true });
}
await browser.close();
console.log(`${looks} looks, violations: ${JSON.stringify(findings, null, 1)}`);
process.exitCode = findings.length === 0 ? 0 : 1;
