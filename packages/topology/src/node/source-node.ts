import type { Headers, Serde, TimestampExtractor } from '@millrace/core';
import type { SourceSpec } from '../plan/specs.ts';
import type { RecordReceiver } from './record-receiver.ts';
import type { ChangeSerde } from './task-port.ts';

/**
 * Where the records of its topics enter the nodes of a task. The task has made the record context that of the record before
 * it calls `process`.
 */
export class SourceNode {
  readonly name: string;
  /** Absent: the default of the application. */
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  /** Reads table changes (new and old value together) instead of plain values. */
  readonly changeSerde: ChangeSerde | undefined;
  readonly timestampExtractor: TimestampExtractor | undefined;
  /** Its records are the rows of a table. */
  readonly feedsTable: boolean;
  readonly #children: RecordReceiver[] = [];
  /** The child, when there is exactly one: most nodes have, and need no loop then. */
  #onlyChild: RecordReceiver | undefined;

  constructor(spec: SourceSpec) {
    this.name = spec.name;
    this.keySerde = spec.keySerde;
    this.valueSerde = spec.valueSerde;
    this.changeSerde = spec.changeSerde;
    this.timestampExtractor = spec.timestampExtractor;
    this.feedsTable = spec.feedsTable ?? false;
  }

  addChild(child: RecordReceiver): void {
    this.#children.push(child);
    this.#onlyChild = this.#children.length === 1 ? child : undefined;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const only = this.#onlyChild;
    if (only !== undefined) {
      only.process(key, value, timestamp, headers, oldValue, isLatest);
      return;
    }
    const children = this.#children;
    for (let i = 0; i < children.length; i++) {
      (children[i] as RecordReceiver).process(key, value, timestamp, headers, oldValue, isLatest);
    }
  }
}
