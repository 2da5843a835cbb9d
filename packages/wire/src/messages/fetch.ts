import { ZERO_UUID } from '../primitives/protocol-reader.ts';
import { defineApi, type RequestOf, type ResponseOf } from '../schema/api.ts';
import { array, bytes, int16, int32, int64, int8, string, struct, uuid } from '../schema/field.ts';

/**
 * Reads record sets. Version 12 is the last one that names topics. Version 13 asks by topic id: of a topic that was deleted and
 * made again under its name nothing is read then.
 */
export const fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: '4-13',
  flexible: '12+',
  request: {
    clusterId: string({ versions: '12+', nullable: '12+', tag: 0, ignorable: true }),
    replicaId: int32({ default: -1 }),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 0x7fffffff }),
    /** 0 read_uncommitted, 1 read_committed. */
    isolationLevel: int8({ default: 0 }),
    sessionId: int32({ versions: '7+', default: 0 }),
    /** −1: no incremental fetch session. */
    sessionEpoch: int32({ versions: '7+', default: -1 }),
    topics: array({
      topic: string({ versions: '4-12', default: '', ignorable: true }),
      topicId: uuid({ versions: '13+', default: ZERO_UUID, ignorable: true }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ versions: '9+', default: -1, ignorable: true }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ versions: '12+', default: -1 }),
        logStartOffset: int64({ versions: '5+', default: -1, ignorable: true }),
        partitionMaxBytes: int32(),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ versions: '7-12', default: '', ignorable: true }),
        topicId: uuid({ versions: '13+', default: ZERO_UUID, ignorable: true }),
        partitions: array(int32()),
      },
      { versions: '7+', default: [] },
    ),
    rackId: string({ versions: '11+', default: '', ignorable: true }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ versions: '7+', default: 0 }),
    sessionId: int32({ versions: '7+', default: 0 }),
    responses: array({
      topic: string({ versions: '4-12', default: '' }),
      topicId: uuid({ versions: '13+', default: ZERO_UUID }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1 }),
        logStartOffset: int64({ versions: '5+', default: -1 }),
        divergingEpoch: struct({ epoch: int32({ default: -1 }), endOffset: int64({ default: -1 }) }, { versions: '12+', tag: 0 }),
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { versions: '12+', tag: 1 },
        ),
        snapshotId: struct({ endOffset: int64({ default: -1 }), epoch: int32({ default: -1 }) }, { versions: '12+', tag: 2 }),
        /** Absent for read_uncommitted; not ordered by first offset. */
        abortedTransactions: array({ producerId: int64(), firstOffset: int64() }, { nullable: '4+' }),
        preferredReadReplica: int32({ versions: '11+', default: -1 }),
        /** Record batches; the last one may be cut off. */
        records: bytes({ nullable: '0+' }),
      }),
    }),
  },
});
export type FetchRequest = RequestOf<typeof fetch>;
export type FetchResponse = ResponseOf<typeof fetch>;
