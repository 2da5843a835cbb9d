import type { Clock } from '@millrace/core';
import { ErrorCode, RecordBatchBuilder, RecordCursor } from '@millrace/wire';
import type { PartitionLog } from '../log/partition-log.ts';
import { eachBatch } from '../log/replay.ts';
import { Refusal } from '../refusal.ts';
import type { InternalTopic } from '../topics/internal-topic.ts';
import type { Transaction } from './transaction.ts';
import {
  decodeTransactionKey,
  decodeTransactionValue,
  encodeTransactionKey,
  encodeTransactionValue,
} from './transaction-records.ts';

/** Writes the state of transactions into `__transaction_state`, and reads it back at the start. */
export class TransactionLog {
  readonly #topic: InternalTopic;
  readonly #clock: Clock;

  constructor(topic: InternalTopic, clock: Clock) {
    this.#topic = topic;
    this.#clock = clock;
  }

  /** @throws Refusal COORDINATOR_NOT_AVAILABLE while nobody has looked for the coordinator yet */
  get log(): PartitionLog {
    const { log } = this.#topic;
    if (log === undefined) throw new Refusal(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    return log;
  }

  /** What was saved is decided: it holds over a restart. */
  save(transaction: Transaction): void {
    const nowMs = this.#clock.nowMs();
    transaction.updatedMs = nowMs;
    this.#append(transaction.transactionalId, nowMs, encodeTransactionValue(transaction));
  }

  /** The transactional id is as if it had never been. */
  forget(transactionalId: string): void {
    this.#append(transactionalId, this.#clock.nowMs(), undefined);
  }

  #append(transactionalId: string, timestamp: number, value: Buffer | undefined): void {
    const builder = new RecordBatchBuilder(256);
    builder.appendRecord({ timestamp, key: encodeTransactionKey(transactionalId), value });
    this.log.appendInternal(builder.finish());
  }

  /** The transactions as they were when the broker was last alive. */
  replay(): Map<string, Transaction> {
    const transactions = new Map<string, Transaction>();
    const cursor = new RecordCursor();
    for (const segment of this.#topic.log?.segments.all ?? []) {
      eachBatch(segment, (records, header) => {
        cursor.open(records, header);
        while (cursor.next()) {
          const transactionalId = decodeTransactionKey(cursor.buffer.subarray(cursor.keyStart, cursor.keyEnd));
          const value = cursor.buffer.subarray(cursor.valueStart, cursor.valueEnd);
          if (cursor.valueStart < 0) transactions.delete(transactionalId);
          else transactions.set(transactionalId, decodeTransactionValue(transactionalId, value));
        }
      });
    }
    return transactions;
  }
}
