// One line for each text that a way to fail made some client print: reads the lines of record.mjs, writes the fixture.
//
//   { way, reason, status?, text, printed: { "message": { "axios 1.21.1": "18 20 24" } } }
//
// `status`: what the receiver said, where it said something; `printed`: in which field of the error which client printed the
// text, on which major versions of Node.js.
import { readFileSync } from 'node:fs';

const major = (version) => version.split('.')[0];
const nodes = {};
const rows = new Map();
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const { client, node, way, reason, status, field, text } = JSON.parse(line);
  nodes[major(node)] = node;
  // A pointer that differs between two runs; the rest of a text is as it was printed.
  const same = text.replaceAll(/\b[0-9A-F]{8,16}(?=:error:)/g, '80BC12F4A97F0000');
  const key = JSON.stringify([way, same]);
  if (!rows.has(key)) rows.set(key, { way, reason, status, text: same, printed: {} });
  ((rows.get(key).printed[field] ??= {})[client] ??= new Set()).add(major(node));
}

const byKey = (object, value) => Object.fromEntries(Object.keys(object).sort().map((key) => [key, value(object[key])]));
for (const row of rows.values()) {
  row.printed = byKey(row.printed, (clients) => byKey(clients, (versions) => [...versions].sort().join(' ')));
}
const sorted = [...rows.values()].sort((a, b) => (a.way < b.way ? -1 : a.way > b.way ? 1 : a.text < b.text ? -1 : 1));
console.log(`{\n"nodes": ${JSON.stringify(nodes)},\n"rows": [\n${sorted.map((row) => JSON.stringify(row)).join(',\n')}\n]\n}`);
