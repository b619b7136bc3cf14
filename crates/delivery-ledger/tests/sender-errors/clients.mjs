// The HTTP clients, each behind `send(url, way, port)`: POST a small body, read the whole response, and throw what the client throws.
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const version = (name) => require('node:fs').readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8').match(/"version": "([^"]+)"/)[1];
const BODY = '{"event":"create"}';

const headers = (way) => ({ 'Content-Type': 'application/json', ...(way.header && { [way.header[0]]: way.header[1] }) });
const signalOf = (way) =>
  way.needs === 'signalReason' ? AbortSignal.timeout(way.timeout)
  : way.abort ? (() => { const c = new AbortController(); setTimeout(() => c.abort(), way.abort); return c.signal; })()
  : undefined;
const timeoutOf = (way) => (way.needs === 'signalReason' ? undefined : way.timeout);

/** Node's own `http.request`, without a timeout: what times out there is the caller's own sentence. */
async function builtIn(url, way) {
  const { request } = url.startsWith('https:') ? https : http;
  await new Promise((resolve, reject) => {
    const r = request(url, { method: 'POST', headers: headers(way), agent: way.agent?.(url), signal: signalOf(way) }, (response) => {
      response.on('error', reject).on('end', resolve).resume();
    });
    r.on('error', reject).end(BODY);
  });
}

const axios = (name) => (url, way) => require(name).request({
  url, method: 'post', data: BODY, headers: headers(way), proxy: false, responseType: 'text', timeout: timeoutOf(way), signal: signalOf(way),
  httpsAgent: way.agent?.(url), ...(way.noRedirects && { maxRedirects: 0 }),
  ...(way.maxBody && { maxBodyLength: way.maxBody }), ...(way.maxResponse && { maxContentLength: way.maxResponse }),
});

const got = (load, phases) => async (url, way) => {
  const g = await load();
  const timeout = timeoutOf(way);
  const send = g.post(url, {
    body: BODY, headers: headers(way), retry: phases ? { limit: 0 } : 0, timeout: timeout && { request: timeout }, signal: phases ? signalOf(way) : undefined,
    followRedirect: !way.noRedirects, methodRewriting: true, ...(way.agent && { agent: { https: way.agent(url) } }),
  });
  if (!phases && way.abort) setTimeout(() => send.cancel(), way.abort);
  await send;
};

const nodeFetch = (load) => async (url, way) => {
  const { default: fetch } = await load();
  const response = await fetch(url, {
    method: 'POST', body: BODY, headers: headers(way), timeout: timeoutOf(way), signal: signalOf(way), size: way.maxResponse ?? 0,
    redirect: way.noRedirects ? 'error' : 'follow', agent: way.agent?.(url),
  });
  await response.text();
};

// undici has a timeout for each step, and its own ProxyAgent.
const dispatcher = (undici, way, port) => {
  const timeout = timeoutOf(way);
  const options = { connect: { timeout: timeout ?? 10_000 }, headersTimeout: timeout ?? 5_000, bodyTimeout: timeout ?? 5_000, ...(way.maxResponse && { maxResponseSize: way.maxResponse }) };
  return way.needs === 'proxy' ? new undici.ProxyAgent({ uri: `http://127.0.0.1:${port}`, ...options }) : new undici.Agent(options);
};
const undiciRequest = (name) => async (url, way, port) => {
  const undici = require(name);
  const response = await undici.request(url, {
    method: 'POST', body: BODY, headers: headers(way), signal: signalOf(way), dispatcher: dispatcher(undici, way, port),
    ...(name !== 'undici' && { throwOnError: true }),
  });
  await response.body.text();
};
const undiciFetch = (fetch, name) => async (url, way, port) => {
  const response = await fetch(url, {
    method: 'POST', body: BODY, headers: headers(way), signal: signalOf(way), redirect: way.noRedirects ? 'error' : 'follow',
    dispatcher: dispatcher(require(name), way, port),
  });
  await response.text();
};

const superagent = (name) => async (url, way) => {
  let request = require(name).post(url).set(headers(way)).redirects(way.noRedirects ? 0 : 5).buffer(true);
  if (timeoutOf(way)) request = request.timeout({ response: way.timeout, deadline: way.timeout * 2 });
  if (way.agent) request = request.agent(way.agent(url));
  if (way.maxResponse) request = request.maxResponseSize(way.maxResponse);
  if (way.abort) setTimeout(() => request.abort(), way.abort);
  await request.send(BODY);
};

async function needle(url, way) {
  await require('needle')('post', url, BODY, {
    headers: headers(way), follow_max: way.noRedirects ? 0 : 5, follow_keep_method: true, agent: way.agent?.(url), signal: signalOf(way),
    open_timeout: timeoutOf(way) ?? 10_000, response_timeout: timeoutOf(way) ?? 5_000, read_timeout: timeoutOf(way) ?? 5_000,
  });
}

const request = (url, way, port) => new Promise((resolve, reject) => {
  require('request')({
    url, method: 'POST', body: BODY, headers: headers(way), timeout: timeoutOf(way), followAllRedirects: !way.noRedirects, gzip: true,
    ...(way.needs === 'proxy' && { proxy: `http://127.0.0.1:${port}` }),
  }, (error) => (error ? reject(error) : resolve()));
});

/** Each with `can`: the ways' needs that it meets; who has no `wholeUrls` or `protocols` completes a URL by guessing, and fails at what it guessed. A client that does not load on this Node.js is left out. */
export async function clients() {
  const node = process.versions.node;
  const urls = ['wholeUrls', 'protocols'];
  const all = ['timeout', 'signal', 'signalReason', 'redirects', 'proxy', ...urls];
  const list = [];
  const client = (family, name, send, can) => {
    try {
      list.push({ family, name: name ? `${family} ${version(name)}` : family, send, can });
    } catch (error) {
      console.error(`left out: ${family} on Node.js ${node}: ${error.message}`);
    }
  };
  const loads = (name) => { try { require(name); return true; } catch { return false; } };
  const imports = async (name) => { try { await import(name); return true; } catch { return false; } };

  client('http', null, builtIn, ['signal', 'proxy', ...urls]);
  for (const name of ['axios', 'axios-1.7', 'axios-0']) {
    const can = ['timeout', 'signal', 'redirects', 'proxy', 'maxBody', 'maxResponse', 'protocols', ...(name === 'axios-0' ? [] : ['wholeUrls'])];
    if (loads(name)) client('axios', name, axios(name), can);
  }
  if (await imports('got')) client('got', 'got', got(async () => (await import('got')).default, true), ['timeout', 'signal', 'redirects', 'proxy', ...urls]);
  client('got', 'got-11', got(async () => require('got-11'), false), ['timeout', 'signal', 'redirects', 'proxy', ...urls]);
  client('node-fetch', 'node-fetch', nodeFetch(() => import('node-fetch')), ['signal', 'signalReason', 'redirects', 'proxy', 'maxResponse', ...urls]);
  client('node-fetch', 'node-fetch-2', nodeFetch(async () => ({ default: require('node-fetch-2') })), ['timeout', 'signal', 'redirects', 'proxy', 'maxResponse', ...urls]);
  for (const name of ['undici', 'undici-6', 'undici-5']) {
    if (loads(name)) client('undici', name, undiciRequest(name), [...all.filter((can) => can !== 'redirects'), 'maxResponse']);
  }
  const own = ['undici', 'undici-6', 'undici-5'].find((name) => loads(name) && version(name).split('.')[0] === process.versions.undici?.split('.')[0]);
  if (globalThis.fetch && own) client('fetch', null, undiciFetch(globalThis.fetch, own), all);
  for (const name of ['superagent', 'superagent-8']) {
    if (loads(name)) client('superagent', name, superagent(name), ['timeout', 'signal', 'redirects', 'proxy', 'maxResponse']);
  }
  client('needle', 'needle', needle, ['timeout', 'signal', 'redirects', 'proxy']);
  client('request', 'request', request, ['timeout', 'redirects', 'proxy', ...urls]);
  return list;
}

/** Tunnels through the proxy at `port`, for the clients that have no proxy of their own. */
export const tunnel = (port) => () => require('tunnel').httpsOverHttp({ proxy: { host: '127.0.0.1', port } });
