import { latin1Slice, TaskCorruptedError } from '@millrace/core';
import type { ByteRange, StateDatabase, StateSnapshot } from '../contracts/engine.ts';
import { asBuffer } from '../layout/byte-views.ts';
import type { WriteBatch, WriteBatchVisitor } from '../write-batch.ts';
import { lowerBound, type Snapshot, SortedEntries } from './sorted-entries.ts';

/** Up to here a loop in JavaScript is faster than the call into native code. */
const LOOP_MAX = 32;

/** A database in the memory of this process; its rows go with it when it is closed. */
export class MemoryDatabase implements StateDatabase {
  readonly #taskId: string;
  readonly #onClose: () => void;
  readonly #applier: BatchApplier;
  #entries: SortedEntries | undefined = new SortedEntries();

  constructor(taskId: string, onClose: () => void) {
    this.#taskId = taskId;
    this.#onClose = onClose;
    this.#applier = new BatchApplier(this.#openEntries());
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#openEntries().get(textOf(key));
    return value === undefined ? undefined : Buffer.from(value);
  }

  entries(range: ByteRange, options?: { readonly reverse?: boolean }): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    return scanOf(() => this.#openEntries(), range, options?.reverse === true);
  }

  snapshot(): StateSnapshot {
    let frozen: SortedEntries | undefined = this.#openEntries().copy();
    const open = (): SortedEntries => {
      if (this.#entries === undefined || frozen === undefined) throw this.#closed();
      return frozen;
    };
    return {
      get(key) {
        const value = open().get(textOf(key));
        return value === undefined ? undefined : Buffer.from(value);
      },
      entries: (range, options) => scanOf(open, range, options?.reverse === true),
      close() {
        frozen = undefined;
      },
    };
  }

  write(batch: WriteBatch): Promise<void> | undefined {
    if (this.#entries === undefined) return Promise.reject(this.#closed());
    batch.visit(this.#applier);
    return undefined;
  }

  async close(): Promise<void> {
    if (this.#entries === undefined) return;
    this.#entries = undefined;
    this.#onClose();
  }

  #openEntries(): SortedEntries {
    if (this.#entries === undefined) throw this.#closed();
    return this.#entries;
  }

  #closed(): TaskCorruptedError {
    const message = 'the in-memory state database, or a snapshot of it, has been closed; open it again';
    return new TaskCorruptedError('STATE_CLOSED', message, { taskId: this.#taskId });
  }
}

/** Applies the operations of a batch; nothing in it can fail half-way, so a batch is atomic. */
class BatchApplier implements WriteBatchVisitor {
  readonly #entries: SortedEntries;

  constructor(entries: SortedEntries) {
    this.#entries = entries;
  }

  put(bytes: Buffer, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const length = valueEnd - valueStart;
    const value = new Uint8Array(length);
    if (length > LOOP_MAX) bytes.copy(value, 0, valueStart, valueEnd);
    else for (let i = 0; i < length; i++) value[i] = bytes[valueStart + i] as number;
    this.#entries.set(latin1Slice(bytes, keyStart, keyEnd), value);
  }

  delete(bytes: Buffer, keyStart: number, keyEnd: number): void {
    this.#entries.delete(latin1Slice(bytes, keyStart, keyEnd));
  }

  deleteRange(bytes: Buffer, startStart: number, startEnd: number, endStart: number, endEnd: number): void {
    this.#entries.deleteRange(latin1Slice(bytes, startStart, startEnd), latin1Slice(bytes, endStart, endEnd));
  }
}

/** @param open throws when the entries are not to be read any more */
function scanOf(
  open: () => SortedEntries,
  range: ByteRange,
  reverse: boolean,
): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
  return {
    [Symbol.asyncIterator]() {
      const rows = rowsOf(open().snapshot(), range, reverse);
      return {
        async next() {
          open();
          return rows.next();
        },
        return: async () => ({ done: true, value: undefined }),
      };
    },
  };
}

function* rowsOf(chunks: Snapshot, range: ByteRange, reverse: boolean): Generator<readonly [Uint8Array, Uint8Array], undefined> {
  const from = range.gte === undefined ? undefined : textOf(range.gte);
  const to = range.lt === undefined ? undefined : textOf(range.lt);
  for (let i = 0; i < chunks.length; i++) {
    const { keys, values } = chunks[reverse ? chunks.length - 1 - i : i] as Snapshot[number];
    const start = from === undefined ? 0 : lowerBound(keys, from);
    const end = to === undefined ? keys.length : lowerBound(keys, to);
    for (let j = start; j < end; j++) {
      const at = reverse ? start + end - 1 - j : j;
      yield [Buffer.from(keys[at] as string, 'latin1'), Buffer.from(values[at] as Uint8Array)];
    }
  }
}

function textOf(key: Uint8Array): string {
  return latin1Slice(asBuffer(key), 0, key.length);
}
