// What a rule is, whichever form it is exported in.

/** Page: act now, at any hour. Ticket: act within a working day. Info: for whoever looks already. */
export type Severity = 'page' | 'ticket' | 'info';

/**
 * Whose work it is. Receiver: whoever runs the receiver of the webhook. Exporter: whoever runs the exporter. Account:
 * whoever administrates the account in Cotalker.
 */
export type Scope = 'receiver' | 'exporter' | 'account';

/** A text of an annotation. `value` is the template's name for the value: it differs between Prometheus and Grafana. */
export type Text = string | ((value: string) => string);

export interface Alert {
  alert: string;
  /** Why the expression is as it is. */
  comment?: string;
  expr: string;
  /** What follows the expression in Grafana, which inhibits nothing. */
  unlessInGrafana?: string;
  /** A Prometheus duration. */
  for?: string;
  severity: Severity;
  scope: Scope;
  /** One sentence, the same for each instance. */
  summary: string;
  /** Why deliveries fail, of the alerts that page for a receiver. */
  reason?: Text;
  /** What happened, and what to do. */
  description: Text;
}

export interface Recording {
  record: string;
  expr: string;
}
