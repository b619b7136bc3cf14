import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { written } from './files';
import { setting } from './stack';

for (const [path, text] of Object.entries(written())) {
  const file = `${setting('DEPLOY')}/${path}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
