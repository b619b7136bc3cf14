import { writeCheck } from './exported';
import { setting } from './stack';

writeCheck(setting('CHECK'));
