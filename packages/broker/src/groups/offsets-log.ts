import type { Clock } from '@millrace/core';
import { ErrorCode, readControlMarker, RecordBatchBuilder, type RecordBatchHeader, RecordCursor } from '@millrace/wire';
import type { PartitionLog } from '../log/partition-log.ts';
import { eachBatch } from '../log/replay.ts';
import { Refusal } from '../refusal.ts';
import type { InternalTopic } from '../topics/internal-topic.ts';
import type { GroupOffsets } from './group-offsets.ts';
import {
  decodeGroupValue,
  decodeKey,
  decodeOffsetValue,
  encodeGroupKey,
  encodeGroupValue,
  encodeOffsetKey,
  encodeOffsetValue,
  type OffsetKey,
  type OffsetValue,
} from './group-records.ts';

/** A commit, or a deletion when there is no value. */
export interface OffsetChange {
  readonly key: OffsetKey;
  readonly value: OffsetValue | undefined;
}

/** The transaction that a commit belongs to. */
export interface CommittingProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Hears of groups that the log knows. */
export interface GroupReplay {
  onGroup(groupId: string, protocolType: string, generationId: number): void;
  onGroupDeleted(groupId: string): void;
}

/** Writes what must be remembered of groups into `__consumer_offsets`, and reads it back at the start. */
export class OffsetsLog {
  readonly #topic: InternalTopic;
  readonly #offsets: GroupOffsets;
  readonly #clock: Clock;

  constructor(topic: InternalTopic, offsets: GroupOffsets, clock: Clock) {
    this.#topic = topic;
    this.#offsets = offsets;
    this.#clock = clock;
    topic.whenReady((log) => log.onMarker(({ producerId, commit }) => offsets.ended(producerId, commit)));
  }

  /** @throws Refusal NOT_COORDINATOR while nobody has looked for the coordinator yet */
  get log(): PartitionLog {
    const { log } = this.#topic;
    if (log === undefined) throw new Refusal(ErrorCode.NOT_COORDINATOR);
    return log;
  }

  /** Appends the changes as one batch: they hold at once, or, in a transaction, when it is committed. */
  write(changes: readonly OffsetChange[], producer?: CommittingProducer): void {
    if (changes.length === 0) return;
    const builder = new RecordBatchBuilder(128 * changes.length);
    const timestamp = this.#clock.nowMs();
    for (const { key, value } of changes) {
      const bytes = value === undefined ? undefined : encodeOffsetValue(value);
      builder.appendRecord({ timestamp, key: encodeOffsetKey(key), value: bytes });
    }
    const identity = producer === undefined ? {} : transactional(producer);
    const baseOffset = this.log.appendInternal(builder.finish(identity));
    for (const [index, { key, value }] of changes.entries()) {
      this.#offsets.apply(key, value, baseOffset + index, producer?.producerId);
    }
  }

  writeGeneration(groupId: string, protocolType: string, generationId: number): void {
    const nowMs = this.#clock.nowMs();
    this.#writeGroup(groupId, encodeGroupValue(protocolType, generationId, nowMs));
  }

  writeGroupDeletion(groupId: string): void {
    this.#writeGroup(groupId, undefined);
  }

  #writeGroup(groupId: string, value: Buffer | undefined): void {
    const builder = new RecordBatchBuilder(128);
    builder.appendRecord({ timestamp: this.#clock.nowMs(), key: encodeGroupKey(groupId), value });
    this.log.appendInternal(builder.finish());
  }

  /** Reads everything that was written before the broker was started. */
  replay(groups: GroupReplay): void {
    const { log } = this.#topic;
    if (log === undefined) return;
    for (const segment of log.segments.all) {
      eachBatch(segment, (records, header) => {
        if (header.isControl) this.#offsets.ended(header.producerId, readControlMarker(records, header) === 'commit');
        else this.#replayBatch(records, header, groups);
      });
    }
  }

  #replayBatch(records: Buffer, header: RecordBatchHeader, groups: GroupReplay): void {
    const cursor = new RecordCursor();
    cursor.open(records, header);
    while (cursor.next()) {
      const key = decodeKey(cursor.buffer.subarray(cursor.keyStart, cursor.keyEnd));
      const value = cursor.valueStart < 0 ? undefined : cursor.buffer.subarray(cursor.valueStart, cursor.valueEnd);
      if (key?.kind === 'offset') {
        const producerId = header.isTransactional ? header.producerId : undefined;
        this.#offsets.apply(key, value === undefined ? undefined : decodeOffsetValue(value), cursor.offset, producerId);
      } else if (key?.kind === 'group') {
        if (value === undefined) groups.onGroupDeleted(key.groupId);
        else groups.onGroup(key.groupId, decodeGroupValue(value).protocolType, decodeGroupValue(value).generationId);
      }
    }
  }
}

function transactional({ producerId, producerEpoch }: CommittingProducer) {
  return { producerId, producerEpoch, transactional: true };
}
