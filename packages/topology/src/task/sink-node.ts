import type { Headers } from '@millrace/core';
import type { SinkWriter, TaskPort } from '../node/task-port.ts';
import type { SinkSpec } from '../plan/specs.ts';
import type { Receiver } from './processor-node.ts';

/** Where records leave the nodes of a task for a topic. */
export class SinkNode implements Receiver {
  readonly name: string;
  readonly #writer: SinkWriter;

  constructor(spec: SinkSpec, task: TaskPort, resolveTopic: (name: string) => string) {
    this.name = spec.name;
    this.#writer = task.sinkWriter({
      node: spec.name,
      topic: typeof spec.topic === 'string' ? resolveTopic(spec.topic) : spec.topic,
      keySerde: spec.keySerde,
      valueSerde: spec.valueSerde,
      changeSerde: spec.changeSerde,
      partitioner: spec.partitioner,
    });
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown): void {
    this.#writer.send(key, value, timestamp, headers, oldValue);
  }
}
