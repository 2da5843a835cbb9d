import { ErrorCode, type RecordBatchHeader } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import { nextSequence, type ProducerState } from './producer-state.ts';

/** The beginning of a transaction that the coordinator has not yet confirmed. */
interface AnnouncedTransaction {
  epoch: number;
  lowestSequence: number;
  /** As the first announcement said: Kafka does not change it with a later one. */
  readonly bumpsEpoch: boolean;
}

export interface AnnouncedBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

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
  /** Producers that wanted to begin a transaction and have not yet, by producer id. */
  readonly #announced = new Map<number, AnnouncedTransaction>();

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
   * A producer wants to write the first batch of a transaction; whether it may, the coordinator is yet to tell. Its first
   * sequence is remembered even if that fails: a later one must not come before it.
   *
   * @param bumpsEpoch whether each transaction of the producer has an epoch of its own
   * @throws Refusal INVALID_PRODUCER_EPOCH when the partition has seen a newer epoch, before the coordinator is asked
   */
  announced({ producerId, producerEpoch, baseSequence }: AnnouncedBatch, bumpsEpoch: boolean): void {
    if (this.isOpen(producerId, producerEpoch)) return;
    const state = this.#states.get(producerId);
    if (state !== undefined) checkEpoch(state, producerId, producerEpoch);
    const known = this.#announced.get(producerId);
    if (known === undefined) {
      this.#announced.set(producerId, { epoch: producerEpoch, lowestSequence: baseSequence, bumpsEpoch });
    } else if (producerEpoch > known.epoch) {
      known.epoch = producerEpoch;
      known.lowestSequence = baseSequence;
    } else if (producerEpoch === known.epoch) {
      known.lowestSequence = Math.min(known.lowestSequence, baseSequence);
    }
  }

  /**
   * Checks a batch of an idempotent producer before it is appended.
   *
   * @returns the earlier batch when this one repeats it
   * @throws Refusal when the epoch is stale, a sequence is missing, or the batch does not belong to the open transaction
   */
  check(header: RecordBatchHeader): Duplicate | undefined {
    const state = this.#states.get(header.producerId);
    if (state === undefined) {
      this.#checkBeginning(header, true);
      return undefined;
    }
    checkEpoch(state, header.producerId, header.producerEpoch);
    if (header.producerEpoch === state.epoch) {
      const last = header.baseSequence + header.lastOffsetDelta;
      const repeated = state.batches.find((one) => one.firstSequence === header.baseSequence && one.lastSequence === wrap(last));
      if (repeated !== undefined) return { baseOffset: repeated.baseOffset, timestamp: repeated.timestamp };
    }
    this.#checkBeginning(header, state.batches.length === 0);
    this.#checkSequence(state, header);
    if (!header.isTransactional && this.#open.has(header.producerId)) {
      throw new Refusal(
        ErrorCode.INVALID_TXN_STATE,
        `producer ${header.producerId} wrote a non-transactional batch while its transaction is open`,
      );
    }
    return undefined;
  }

  /** Source: Kafka `ProducerAppendInfo.checkSequence`, `VerificationStateEntry` (KIP-890). */
  #checkBeginning({ producerId, baseSequence }: RecordBatchHeader, isUnknown: boolean): void {
    const announced = this.#announced.get(producerId);
    if (announced === undefined) return;
    const expected = announced.bumpsEpoch && isUnknown ? 0 : announced.lowestSequence;
    if (baseSequence <= expected) return;
    throw new Refusal(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `producer ${producerId} began a transaction with sequence ${baseSequence} where ${expected} was expected`,
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
    if (!header.isTransactional) return;
    this.#announced.delete(header.producerId);
    if (!this.#open.has(header.producerId)) this.#open.set(header.producerId, header.baseOffset);
  }

  /**
   * Takes note of a marker. What was announced without any data stays announced if epochs rise, as in Kafka.
   *
   * @returns first offset of the transaction that it ends, if there were any data of it here
   */
  ended(producerId: number, producerEpoch: number, timestamp: number): number | undefined {
    const state = this.#stateFor(producerId, producerEpoch);
    state.lastTimestamp = timestamp;
    const firstOffset = this.#open.get(producerId);
    this.#open.delete(producerId);
    if (this.#announced.get(producerId)?.bumpsEpoch === false) this.#announced.delete(producerId);
    return firstOffset;
  }

  /** Forgets producers that have written nothing for so long. Open transactions keep theirs. */
  expire(nowMs: number, expirationMs: number): void {
    for (const [producerId, state] of this.#states) {
      if (nowMs - state.lastTimestamp <= expirationMs || this.#open.has(producerId)) continue;
      this.#states.delete(producerId);
      this.#announced.delete(producerId);
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
      // Compaction may drop the batches of the epoch before; what has brought the new one tells enough.
      state.lastDataOffset = -1;
    }
    return state;
  }
}

function checkEpoch({ epoch }: ProducerState, producerId: number, producerEpoch: number): void {
  if (producerEpoch >= epoch) return;
  const message = `epoch ${producerEpoch} of producer ${producerId} is older than ${epoch}`;
  throw new Refusal(ErrorCode.INVALID_PRODUCER_EPOCH, message);
}

function wrap(sequence: number): number {
  return sequence > 0x7fffffff ? sequence - 0x80000000 : sequence;
}
