import type { Headers } from '@millrace/core';

/** A node that takes records: a processor node or a sink node. */
export interface RecordReceiver {
  readonly name: string;
  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void;
}
