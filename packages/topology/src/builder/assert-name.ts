import { TopologyError } from '@millrace/core';

/**
 * Throws unless Kafka Streams would take the name for a node or a store: such names become parts of topic names.
 *
 * Source: `Named.validate`.
 */
export function assertName(name: string, what: string): void {
  if (/^[A-Za-z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return;
  throw new TopologyError(
    'INVALID_NAME',
    `${JSON.stringify(name)} cannot be the name of a ${what}; use 1 to 249 characters of A-Z a-z 0-9 . _ - (not "." or "..")`,
  );
}
