import { stringify } from 'yaml';

/**
 * As it would be written by hand: no line is broken, and nothing stands for what is the same elsewhere. In quotes is also what
 * only YAML 1.1 takes for something else than a string, such as 18:00.
 */
export function yaml(value: unknown): string {
  const text = stringify(value, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false });
  // The one that the package forgets.
  return text.replace(/^( *(?:- |\w+: ))=$/gm, '$1"="');
}
