import { defineApi, type RequestOf, type ResponseOf } from '../schema/api.ts';
import { array, boolean, int16, int32, int64, int8, string } from '../schema/field.ts';

/** The offset at a timestamp, or at the start (−2), the end (−1) or the largest timestamp (−3) of a partition. */
export const listOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: '1-7',
  flexible: '6+',
  request: {
    replicaId: int32({ default: -1 }),
    /** 0 read_uncommitted, 1 read_committed: then the end is the last stable offset. */
    isolationLevel: int8({ versions: '2+', default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ versions: '4+', default: -1, ignorable: true }),
        timestamp: int64(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: '2+', default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ default: -1 }),
        offset: int64({ default: -1 }),
        leaderEpoch: int32({ versions: '4+', default: -1 }),
      }),
    }),
  },
});
export type ListOffsetsRequest = RequestOf<typeof listOffsets>;
export type ListOffsetsResponse = ResponseOf<typeof listOffsets>;

/** Where a leader epoch ended: tells whether a log was truncated below a position. */
export const offsetForLeaderEpoch = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: '2-4',
  flexible: '4+',
  request: {
    replicaId: int32({ versions: '3+', default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ default: -1 }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ default: -1 }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
});
export type OffsetForLeaderEpochRequest = RequestOf<typeof offsetForLeaderEpoch>;
export type OffsetForLeaderEpochResponse = ResponseOf<typeof offsetForLeaderEpoch>;

/** Stores the next offsets of a group, without a transaction. */
export const offsetCommit = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: '2-9',
  flexible: '8+',
  request: {
    groupId: string(),
    /** Generation of a classic group, member epoch of a new one; −1 from outside of the group. */
    generationIdOrMemberEpoch: int32({ default: -1 }),
    memberId: string({ default: '' }),
    groupInstanceId: string({ versions: '7+', nullable: '7+' }),
    retentionTimeMs: int64({ versions: '2-4', default: -1, ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ versions: '6+', default: -1, ignorable: true }),
        committedMetadata: string({ nullable: '0+' }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+', default: 0 }),
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
});
export type OffsetCommitRequest = RequestOf<typeof offsetCommit>;
export type OffsetCommitResponse = ResponseOf<typeof offsetCommit>;

/**
 * The offsets that groups have committed. With `requireStable` a partition with a transaction in flight answers error 88
 * instead of an offset that is about to change. Version 8 asks for several groups.
 */
export const offsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-9',
  flexible: '6+',
  request: {
    groupId: string({ versions: '0-7', default: '' }),
    /** `undefined` asks for all partitions. */
    topics: array({ name: string(), partitionIndexes: array(int32()) }, { versions: '0-7', nullable: '2-7' }),
    groups: array(
      {
        groupId: string(),
        memberId: string({ versions: '9+', nullable: '9+' }),
        memberEpoch: int32({ versions: '9+', default: -1, ignorable: true }),
        topics: array({ name: string(), partitionIndexes: array(int32()) }, { nullable: '8+' }),
      },
      { versions: '8+', default: [] },
    ),
    requireStable: boolean({ versions: '7+', default: false }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+', default: 0 }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ versions: '5+', default: -1 }),
          metadata: string({ nullable: '0+' }),
          errorCode: int16(),
        }),
      },
      { versions: '0-7', default: [] },
    ),
    errorCode: int16({ versions: '2-7', default: 0 }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string(),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ default: -1 }),
            metadata: string({ nullable: '0+' }),
            errorCode: int16(),
          }),
        }),
        errorCode: int16(),
      },
      { versions: '8+', default: [] },
    ),
  },
});
export type OffsetFetchRequest = RequestOf<typeof offsetFetch>;
export type OffsetFetchResponse = ResponseOf<typeof offsetFetch>;

/** Forgets committed offsets of a group that is not consuming the topics. */
export const offsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: '0-0',
  flexible: 'none',
  request: {
    groupId: string(),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32() }) }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32({ default: 0 }),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
  },
});
export type OffsetDeleteRequest = RequestOf<typeof offsetDelete>;
export type OffsetDeleteResponse = ResponseOf<typeof offsetDelete>;
