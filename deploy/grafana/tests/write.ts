import { writeFileSync } from 'node:fs';
import { dashboard } from '../source/dashboard';
import { text } from './files';
import { setting } from './stack';

writeFileSync(setting('DASHBOARD'), text(dashboard));
