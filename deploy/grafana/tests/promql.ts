// PromQL's syntax tree, by Prometheus' own grammar.
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export interface Aggregation {
  operator: string;
  /** Whether a series keeps this label. */
  keeps(label: string): boolean;
}

export interface Selector {
  metric: string;
  matchers: string[];
  /** The range in brackets, if any. */
  range: string | undefined;
  /** The function that the selector, with its range, is the argument of. */
  call: string | undefined;
  /** All functions around it, from the innermost to the outermost. */
  calls: string[];
  /** What lies around it, from the innermost to the outermost; topk and bottomk drop no label. */
  aggregations: Aggregation[];
}

/** The variables, as values that the grammar knows; strings hold theirs as they are. */
export const RATE_INTERVAL = '4m13s';
const INTERVAL = '3m58s';
const RANGE = '6h7m';

export function withDurations(text: string): string {
  return text
    .replaceAll('$__rate_interval', RATE_INTERVAL)
    .replaceAll('$__interval', INTERVAL)
    .replaceAll('$__range', RANGE);
}

/** The selectors of an expression; throws where it is none. */
export function selectors(expression: string): Selector[] {
  const text = withDurations(expression);
  const of = (node: SyntaxNode | null) => (node ? text.slice(node.from, node.to) : undefined);
  const found: Selector[] = [];
  parser.parse(text).iterate({
    enter({ type, node }) {
      if (type.isError) throw new Error(`not PromQL near «${text.slice(Math.max(0, node.from - 20), node.to + 20)}»`);
      if (type.name !== 'VectorSelector') return;
      const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : null;
      const body = (matrix ?? node).parent;
      found.push({
        metric: of(node.getChild('Identifier')) ?? '',
        matchers: (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map((matcher) =>
          of(matcher)!,
        ),
        range: of(matrix?.getChild('DurationExpr') ?? null),
        call: body?.name === 'FunctionCallBody' ? of(body.parent!.getChild('FunctionIdentifier')) : undefined,
        calls: callsAround(node, of),
        aggregations: aggregationsAround(node, of),
      });
    },
  });
  return found;
}

type Text = (node: SyntaxNode | null) => string | undefined;

function callsAround(node: SyntaxNode, of: Text): string[] {
  const found: string[] = [];
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (outer.name === 'FunctionCall') found.push(of(outer.getChild('FunctionIdentifier'))!);
  }
  return found;
}

function aggregationsAround(node: SyntaxNode, of: Text): Aggregation[] {
  const found: Aggregation[] = [];
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (outer.name !== 'AggregateExpr') continue;
    const operator = of(outer.getChild('AggregateOp'))!;
    if (operator === 'topk' || operator === 'bottomk') continue;
    const modifier = outer.getChild('AggregateModifier');
    const labels = (modifier?.getChild('GroupingLabels')?.getChildren('LabelName') ?? []).map((label) => of(label));
    const without = modifier?.getChild('Without') !== null && modifier !== null;
    found.push({
      operator,
      keeps: (label) => (without ? !labels.includes(label) : labels.includes(label)),
    });
  }
  return found;
}

/**
 * What is wrong with an expression when several exporters watch one account, each with the same counts of its webhooks:
 * what one event was would be two in a sum over them, and in a curve for each.
 */
export function replicated(expression: string): string[] {
  return selectors(expression)
    .filter(({ metric }) => metric.startsWith('cotalker_webhook'))
    .flatMap(({ metric, aggregations }) => {
      for (const { operator, keeps } of aggregations) {
        if (keeps('instance')) continue;
        if (operator === 'max' && keeps('webhook_id') && keeps('webhook')) return [];
        return [`${operator} over the exporters of ${metric}`];
      }
      const split = aggregations[0]?.keeps('instance') ?? false;
      return split ? [] : [`${metric} once per exporter`];
    });
}
