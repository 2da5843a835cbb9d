import { defineApi, type RequestOf, type ResponseOf } from '../schema/api.ts';
import { array, bytes, int16, int32, int64, string, struct } from '../schema/field.ts';

/**
 * Appends record batches. Versions 9 to 12 have the same bytes; 12 adds the partitions to the transaction by itself
 * (KIP-890), so a client must not send it unless `transaction.version` ≥ 2 is finalized.
 */
export const produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: '3-12',
  flexible: '9+',
  request: {
    transactionalId: string({ nullable: '3+' }),
    /** −1 all in-sync replicas, 1 the leader, 0 no response at all. */
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string(),
      partitionData: array({ index: int32(), records: bytes({ nullable: '3+' }) }),
    }),
  },
  response: {
    responses: array({
      name: string(),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ default: -1 }),
        logStartOffset: int64({ versions: '5+', default: -1 }),
        recordErrors: array(
          { batchIndex: int32(), batchIndexErrorMessage: string({ nullable: '8+' }) },
          { versions: '8+', default: [] },
        ),
        errorMessage: string({ versions: '8+', nullable: '8+' }),
        currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }, { versions: '10+', tag: 0 }),
      }),
    }),
    throttleTimeMs: int32({ default: 0 }),
    nodeEndpoints: array(
      { nodeId: int32(), host: string(), port: int32(), rack: string({ nullable: '10+' }) },
      { versions: '10+', tag: 0, default: [] },
    ),
  },
});
export type ProduceRequest = RequestOf<typeof produce>;
export type ProduceResponse = ResponseOf<typeof produce>;
