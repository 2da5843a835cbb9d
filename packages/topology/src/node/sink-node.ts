import type { Headers } from '@millrace/core';
import { StreamsError } from '@millrace/core';
import type { RecordReceiver } from './record-receiver.ts';
import type { SinkWriter, TaskPort } from './task-port.ts';

/** Hands records to the writer of its topic. */
export class SinkNode implements RecordReceiver {
  readonly name: string;
  readonly #writer: SinkWriter;
  readonly #task: TaskPort;

  constructor(name: string, writer: SinkWriter, task: TaskPort) {
    this.name = name;
    this.#writer = writer;
    this.#task = task;
  }

  process(key: unknown, value: unknown, timestamp: number, headers: Headers, oldValue: unknown): void {
    try {
      this.#writer.send(key, value, timestamp, headers, oldValue);
    } catch (error) {
      if (error instanceof StreamsError) throw error;
      this.#task.onProcessingError(this.name, error, key, value);
    }
  }
}
