import type { Headers, RecordContext } from '@millrace/core';

/** A record that came while its processor was busy, with the context it came in. */
export interface WaitingRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly context: SavedContext;
}

/** A copy of a record context, to come back to it later. */
export interface SavedContext {
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Headers;
}

export function saveContext(context: RecordContext): SavedContext {
  const { topic, partition, offset, timestamp, headers } = context;
  return { topic, partition, offset, timestamp, headers };
}

export function restoreContext(context: RecordContext, saved: SavedContext): void {
  context.set(saved.topic, saved.partition, saved.offset, saved.timestamp, saved.headers);
}
