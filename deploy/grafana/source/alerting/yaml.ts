import { stringify } from 'yaml';

/** As it would be written by hand: no line is broken, and nothing stands for what is the same elsewhere. */
export function yaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
