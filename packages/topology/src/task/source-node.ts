import type { Headers, Serde, TimestampExtractor } from '@millrace/core';
import type { ChangeSerde } from '../node/task-port.ts';
import type { SourceSpec } from '../plan/specs.ts';
import type { Receiver } from './processor-node.ts';

/** Where records of one or more topics enter the nodes of a task. */
export class SourceNode implements Receiver {
  readonly name: string;
  readonly keySerde: Serde<unknown> | undefined;
  readonly valueSerde: Serde<unknown> | undefined;
  readonly changeSerde: ChangeSerde | undefined;
  readonly timestampExtractor: TimestampExtractor | undefined;
  #children: readonly Receiver[] = [];

  constructor(spec: SourceSpec) {
    this.name = spec.name;
    this.keySerde = spec.keySerde;
    this.valueSerde = spec.valueSerde;
    this.changeSerde = spec.changeSerde;
    this.timestampExtractor = spec.timestampExtractor;
  }

  connect(children: readonly Receiver[]): void {
    this.#children = children;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown, isLatest: boolean): void {
    const children = this.#children;
    for (let i = 0; i < children.length; i++) {
      (children[i] as Receiver).process(key, value, timestamp, headers, oldValue, isLatest);
    }
  }
}
