/**
 * A task for tests of nodes: stores what is sent and dropped, and decides about errors as it is told.
 *
 * @module
 */
import { FatalStreamsError, type Headers, ProcessingError, RecordContext, silentLogger } from '@millrace/core';
import type { StateStore } from '@millrace/state';
import type { Cancellable, PunctuationType, Punctuator } from '../processor/processor.ts';
import type { SinkTarget, SinkWriter, TaskPort } from './task-port.ts';

export interface SentRecord {
  readonly node: string;
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: number;
  readonly headers: Headers;
}

export class RecordingTask implements TaskPort {
  readonly applicationId = 'app';
  readonly taskId = '0_0';
  readonly logger = silentLogger;
  readonly recordContext = new RecordContext();
  readonly emitIntervalMs = 0;
  readonly sent: SentRecord[] = [];
  readonly targets: SinkTarget[] = [];
  readonly errors: { readonly node: string; readonly error: unknown; readonly key: unknown; readonly value: unknown }[] = [];
  readonly pending: Promise<void>[] = [];
  readonly punctuators: Punctuator[] = [];
  readonly stores = new Map<string, StateStore>();
  /** What the processing handler answers. */
  onError: 'continue' | 'fail' = 'fail';

  store(name: string): StateStore {
    const store = this.stores.get(name);
    if (store === undefined) throw new FatalStreamsError('UNKNOWN_STORE', `no store ${name}`);
    return store;
  }

  sinkWriter(target: SinkTarget): SinkWriter {
    this.targets.push(target);
    return {
      send: (key, value, timestamp, headers) => this.sent.push({ node: target.node, key, value, timestamp, headers }),
    };
  }

  schedule(_node: string, _intervalMs: number, _type: PunctuationType, punctuator: Punctuator): Cancellable {
    this.punctuators.push(punctuator);
    return { cancel: () => this.punctuators.splice(this.punctuators.indexOf(punctuator), 1) };
  }

  requestCommit(): void {}

  streamTimeMs(): number {
    return 0;
  }

  systemTimeMs(): number {
    return 0;
  }

  dropped(): void {}

  waitFor(pending: Promise<void>): void {
    this.pending.push(pending);
  }

  onProcessingError(node: string, error: unknown, key: unknown, value: unknown): void {
    this.errors.push({ node, error, key, value });
    if (this.onError === 'fail') throw new ProcessingError('PROCESSING_FAILED', 'stopped', { node, cause: error });
  }
}
