// Records what every client prints for every way to fail, with the Node.js that runs it. Prints one JSON object a line:
// { client, node, way, reason, field, text }. Runs in a network and mount namespace of its own: see scripts/record-sender-errors.
import { readCertificates } from './certificates.mjs';
import { clients, tunnel } from './clients.mjs';
import { nameServer } from './receivers.mjs';
import { ways } from './ways.mjs';

const FIRST_PORT = 10_001;
const LONGEST_MILLIS = 12_000;

const cleanUp = [];
const certificates = readCertificates(process.argv[2]);

// A client may throw where nobody can catch it. It is said, and the recording goes on: the way then ends by its time limit.
process.on('uncaughtException', (error) => console.error('uncaught:', error.message));
process.on('unhandledRejection', (error) => console.error('unhandled:', error?.message));

await nameServer();
const list = ways(certificates, cleanUp);
for (const [index, way] of list.entries()) {
  way.port = FIRST_PORT + index;
  try {
    await way.serve?.(way.port);
  } catch (error) {
    console.error(`left out: ${way.name} on Node.js ${process.versions.node}: ${error.message}`);
    way.needs = 'a receiver that starts';
  }
}

// What a sender may put into its log: the message, the error as a string, its code, the joined tries, its cause.
function texts(error) {
  const found = [];
  const add = (field, text) => typeof text === 'string' && found.push([field, text]);
  const tries = (field, e) => Array.isArray(e?.errors) && e.errors.length > 1 && add(field, e.errors.map((t) => t.message).join('; '));
  add('message', error?.message);
  add('string', String(error));
  add('code', error?.code);
  tries('tries', error);
  const cause = error?.cause;
  if (cause) {
    add('cause.message', cause.message);
    add('cause.code', cause.code);
    tries('cause.tries', cause);
  }
  // The stack, with its first frame; the folder that it was recorded in is nobody's business.
  if (error?.stack) {
    const frame = error.stack.indexOf('\n    at ');
    const end = frame < 0 ? -1 : error.stack.indexOf('\n', frame + 1);
    add('stack', (end < 0 ? error.stack : error.stack.slice(0, end)).replaceAll(/(file:\/\/)?\/[^ ()]*\/node_modules/g, '/app/node_modules').replaceAll(/(file:\/\/)?\/[^ ()]*\/(\w+\.mjs)/g, '/app/$2'));
  }
  return found;
}

const inTime = (promise, name) => {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`NOT ENDED: ${name}`)), LONGEST_MILLIS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

async function record(client) {
  for (const way of list) {
    if ([way.needs, way.also].some((need) => need && !client.can.includes(need))) continue;
    const call = way.needs === 'proxy' && !['undici', 'fetch', 'request'].includes(client.family) ? { ...way, agent: tunnel(way.port) } : way;
    let error;
    try {
      await inTime((async () => client.send(way.url(way.port), call, way.port))(), `${client.name}, ${way.name}`);
      continue; // no error: the status or the body decides
    } catch (thrown) {
      error = thrown;
    }
    if (error instanceof Error && error.message.startsWith('NOT ENDED')) {
      console.error(error.message);
      continue;
    }
    for (const [field, text] of texts(error)) {
      console.log(JSON.stringify({ client: client.name, node: process.versions.node, way: way.name, reason: way.reason, status: way.status, field, text }));
    }
  }
}

await Promise.all((await clients()).map(record));
for (const end of cleanUp) end();
process.exit(0);
