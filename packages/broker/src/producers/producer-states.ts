import { ErrorCode, type RecordBatchHeader } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import { nextSequence, type ProducerState } from './producer-state.ts';

/** How many batches of a producer a partition remembers, to know repetitions: what Kafka does. */
const REMEMBERED_BATCHES = 5;

/** A batch that a producer had sent before. */
export interface Duplicate {
  readonly baseOffset: number;
  readonly timestamp: number;
}

/**
 * What a partition knows of the producers that write to it: epochs, sequences, open transactions.
 *
 * Why: this is all that stands between a retry and a duplicate, and between a zombie and the log. It is rebuilt from the log at
 * start, so nothing in it may come from anywhere else.
 *
 * Source: Kafka `ProducerStateManager`, `ProducerAppendInfo`.
 */
export class ProducerStates {
  readonly #states = new Map<number, ProducerState>();
  /** First offset of each open transaction, by producer id; in the order in which they began. */
  readonly #open = new Map<number, number>();

  get(producerId: number): ProducerState | undefined {
    return this.#states.get(producerId);
  }

  /** Offset of the first record of the oldest open transaction. */
  get firstUnstableOffset(): number | undefined {
    return this.#open.values().next().value;
  }

  /** Whether the producer has a transaction open here, with data. */
  isOpen(producerId: number, producerEpoch: number): boolean {
    return this.#open.has(producerId) && this.#states.get(producerId)?.epoch === producerEpoch;
  }

  /**
   * Checks a batch of an idempotent producer before it is appended.
   *
   * @returns the earlier batch when this one repeats it
   * @throws Refusal when the epoch is stale, a sequence is missing, or the batch does not belong to the open transaction
   */
  check(header: RecordBatchHeader): Duplicate | undefined {
    const state = this.#states.get(header.producerId);
    if (state === undefined) return undefined;
    this.#checkEpoch(state, header);
    if (header.producerEpoch === state.epoch) {
      const last = header.baseSequence + header.lastOffsetDelta;
      const repeated = state.batches.find((one) => one.firstSequence === header.baseSequence && one.lastSequence === wrap(last));
      if (repeated !== undefined) return { baseOffset: repeated.baseOffset, timestamp: repeated.timestamp };
    }
    this.#checkSequence(state, header);
    if (!header.isTransactional && this.#open.has(header.producerId)) {
      throw new Refusal(
        ErrorCode.INVALID_TXN_STATE,
        `producer ${header.producerId} wrote a non-transactional batch while its transaction is open`,
      );
    }
    return undefined;
  }

  #checkEpoch(state: ProducerState, header: RecordBatchHeader): void {
    if (header.producerEpoch >= state.epoch) return;
    throw new Refusal(
      ErrorCode.INVALID_PRODUCER_EPOCH,
      `epoch ${header.producerEpoch} of producer ${header.producerId} is older than ${state.epoch}`,
    );
  }

  #checkSequence(state: ProducerState, header: RecordBatchHeader): void {
    const last = header.producerEpoch === state.epoch ? state.batches.at(-1)?.lastSequence : undefined;
    // With a new epoch, also one that only a marker has brought, everything begins at 0.
    const expected = last === undefined ? 0 : nextSequence(last);
    if (header.baseSequence === expected) return;
    throw new Refusal(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `producer ${header.producerId} sent sequence ${header.baseSequence} where ${expected} was expected`,
    );
  }

  /** Takes note of a data batch that was appended, or is replayed. */
  appended(header: RecordBatchHeader): void {
    const state = this.#stateFor(header.producerId, header.producerEpoch);
    // A batch that compaction has emptied still tells sequence and epoch; that is what it was kept for.
    state.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: wrap(header.baseSequence + header.lastOffsetDelta),
      baseOffset: header.baseOffset,
      timestamp: header.maxTimestamp,
    });
    if (state.batches.length > REMEMBERED_BATCHES) state.batches.shift();
    state.lastTimestamp = header.maxTimestamp;
    state.lastDataOffset = header.lastOffset;
    if (header.isTransactional && !this.#open.has(header.producerId)) this.#open.set(header.producerId, header.baseOffset);
  }

  /**
   * Takes note of a marker.
   *
   * @returns first offset of the transaction that it ends, if there were any data of it here
   */
  ended(producerId: number, producerEpoch: number, timestamp: number): number | undefined {
    const state = this.#stateFor(producerId, producerEpoch);
    state.lastTimestamp = timestamp;
    const firstOffset = this.#open.get(producerId);
    this.#open.delete(producerId);
    return firstOffset;
  }

  /** Ids and last offsets of the producers that are known: their last batch must outlive compaction. */
  *lastDataOffsets(): IterableIterator<number> {
    for (const { lastDataOffset } of this.#states.values()) if (lastDataOffset >= 0) yield lastDataOffset;
  }

  /** Forgets producers that have written nothing for so long. Open transactions keep theirs. */
  expire(nowMs: number, expirationMs: number): void {
    for (const [producerId, state] of this.#states) {
      if (nowMs - state.lastTimestamp > expirationMs && !this.#open.has(producerId)) this.#states.delete(producerId);
    }
  }

  #stateFor(producerId: number, producerEpoch: number): ProducerState {
    let state = this.#states.get(producerId);
    if (state === undefined) {
      state = { epoch: producerEpoch, batches: [], lastTimestamp: -1, lastDataOffset: -1 };
      this.#states.set(producerId, state);
    } else if (state.epoch !== producerEpoch) {
      state.epoch = producerEpoch;
      state.batches = [];
    }
    return state;
  }
}

function wrap(sequence: number): number {
  return sequence > 0x7fffffff ? sequence - 0x80000000 : sequence;
}
