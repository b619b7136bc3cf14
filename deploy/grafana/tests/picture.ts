// What the page that draws is given.
import type { Panel } from '@grafana/schema';
import type { Target } from '../source/panel';

export interface Series {
  metric: Record<string, string>;
  /** Seconds since 1970, and the value as Prometheus writes it. */
  values: [number, string][];
}

export interface Answer {
  target: Target;
  result: Series[];
  stepMs: number;
}

export interface Picture {
  theme: 'dark' | 'light';
  width: number;
  panels: Panel[];
  /** By the panel's id. */
  answers: Record<string, Answer[]>;
  fromMs: number;
  toMs: number;
  /** What the variable `webhook` shows. */
  webhook: string;
}
