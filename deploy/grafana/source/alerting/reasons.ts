// An alert's value is a number, and its labels are what makes it one alert: a reason that changes must neither end an alert
// nor start another. So the reason is the value, as a code, and the annotation has the words.
import type { Text } from './rule';
import { HELD, indent, overPods } from './promql';

/** From the least telling to the most: where there were several within the range, the highest is told. 0 is unknown. */
const REASONS: [reason: string, words: string][] = [
  ['other', 'the delivery fails with an error of its own kind'],
  ['http_3xx', 'the receiver redirects (HTTP 3xx)'],
  ['http_4xx', 'the receiver rejects the request (HTTP 4xx)'],
  ['http_5xx', 'the receiver fails (HTTP 5xx)'],
  ['timeout', 'the receiver does not respond in time'],
  ['reset', 'the receiver resets the connection'],
  ['refused', 'the receiver refuses the connection'],
  ['unreachable', 'the host of the receiver is unreachable'],
  ['tls', "the receiver's certificate is not trusted"],
  ['dns', "the receiver's host name does not resolve"],
  ['certificate_expired', "the receiver's certificate has expired"],
];

export const REASON_NAMES = REASONS.map(([reason]) => reason);

/** The same alerts, and the code of the reason as their value. `shown` is of each webhook that the condition may be about. */
export function withReason(condition: string, shown: string): string {
  const codes = REASONS.map(
    ([reason], index) => `${index + 1} * last_over_time(cotalker_webhook_failing{reason="${reason}"}[5m])`,
  );
  const code = overPods(codes.join('\nor '), 'reason');
  const unknown = `0 * ${overPods(`last_over_time(${shown}[${HELD}])`)}`;
  return `(\n  ${indent(code)}\n  or ${unknown}\n)\nand (\n  ${indent(condition)}\n)`;
}

/** The words for the code. */
export const REASON: Text = (value) => {
  const cases = REASONS.map(([, words], index) => `if eq ${value} ${index + 1}.0 }}${words}`).reverse();
  return `{{ ${cases.join('{{ else ')}{{ else }}the reason is not known{{ end }}`;
};

export function wordsOf(reason: string): string {
  const found = REASONS.find(([name]) => name === reason);
  if (!found) throw new Error(`unknown reason ${reason}`);
  return found[1];
}
