import { writeFileSync } from 'node:fs';
import { dashboard } from '../source/dashboard';
import { forUpload } from '../source/upload';
import { writeCheck } from './exported';
import { setting } from './stack';

writeCheck(setting('CHECK'));
writeFileSync(setting('UPLOAD'), `${JSON.stringify(forUpload(dashboard), null, 2)}\n`);
