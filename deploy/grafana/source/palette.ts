import type { ValueMapping } from '@grafana/schema';
import { MappingType } from '@grafana/schema';
import { STATES } from './query';

// One colour per failure reason, everywhere. The hues are those of Okabe and Ito, completed from Tol's muted scheme: both are
// made for eyes that do not tell red from green. They are lighter or darker than there, so that the words upon them, which
// say the same, can be read.
export const REASONS = {
  timeout: { color: '#FFB632', text: 'Timeout' },
  dns: { color: '#7CCBFA', text: 'DNS: no such name' },
  refused: { color: '#F0A3CB', text: 'Connection refused' },
  certificate_expired: { color: '#F0E442', text: 'Certificate expired' },
  http_4xx: { color: '#0072B2', text: 'HTTP 4xx: rejected' },
  http_5xx: { color: '#B84A00', text: 'HTTP 5xx: server error' },
  http_3xx: { color: '#5B4BB5', text: 'HTTP 3xx: redirect' },
  reset: { color: '#007F5C', text: 'Connection reset' },
  unreachable: { color: '#9C3369', text: 'Host unreachable' },
  tls: { color: '#DDCC77', text: 'TLS: not trusted' },
  other: { color: '#6E6E6E', text: 'Other' },
} as const;

export const GOOD = 'green';
export const WARN = 'orange';
export const BAD = 'red';
export const QUIET = '#6E6E6E';

export const REASON_MAPPING: ValueMapping = { type: MappingType.ValueToText, options: REASONS };

export const STATE_MAPPING: ValueMapping = {
  type: MappingType.ValueToText,
  options: {
    [STATES.broken]: { color: '#C4162A', text: 'Broken' },
    [STATES.blocked]: { color: '#8E24AA', text: 'Blocked' },
    [STATES.failing]: { color: '#F2CC0C', text: 'Failing' },
    [STATES.off]: { color: QUIET, text: 'Switched off' },
    [STATES.ok]: { color: '#2F7A26', text: 'OK' },
  },
};

/** Of `cotalker_up`. */
export const READABLE: ValueMapping = {
  type: MappingType.ValueToText,
  options: {
    0: { color: '#C4162A', text: 'Unreadable' },
    1: { color: '#2F7A26', text: 'Readable' },
    2: { color: 'transparent', text: 'Stands by' },
  },
};
