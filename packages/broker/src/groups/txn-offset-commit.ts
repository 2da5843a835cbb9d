import type { Clock } from '@millrace/core';
import { ErrorCode, txnOffsetCommit, type TxnOffsetCommitRequest } from '@millrace/wire';
import type { ProduceGate } from '../records/produce-gate.ts';
import { Refusal, refusalOf } from '../refusal.ts';
import { answering, type Handler } from '../server/handler.ts';
import { internalTopics } from '../topics/topic-name.ts';
import type { TopicRegistry } from '../topics/topic-registry.ts';
import { commitEach } from './commit-offsets.ts';
import type { GroupRegistry } from './group-registry.ts';

/** Older versions say neither generation nor member. */
const MEMBER_VERSION = 3;

export interface TxnOffsetCommitOptions {
  readonly groups: GroupRegistry;
  readonly topics: TopicRegistry;
  readonly gate: ProduceGate;
  readonly clock: Clock;
  readonly versionMax: number;
}

/**
 * TxnOffsetCommit: the offsets wait for the marker of the transaction. Unlike OffsetCommit it does not look at the state of the
 * group: the old owner may finish its transaction until the new generation exists. Without generation and member nobody is
 * fenced, as with Kafka.
 */
export function txnOffsetCommitHandler({ groups, topics, gate, clock, versionMax }: TxnOffsetCommitOptions): Handler {
  return answering(
    txnOffsetCommit,
    (request, { apiVersion }) => {
      const refusal = () => refusalFor(request, apiVersion);
      return commitEach(request, { topics, groups, nowMs: clock.nowMs(), refusal, producer: request });
    },
    { max: versionMax },
  );

  function refusalFor(request: TxnOffsetCommitRequest, apiVersion: number): Refusal | undefined {
    try {
      const { log } = groups.log;
      gate.admit({ ...request, topic: internalTopics.offsets, partition: 0, log, apiVersion });
      checkEpoch(request);
      if (apiVersion >= MEMBER_VERSION) checkMember(request);
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  }

  /** What any append to a log checks. */
  function checkEpoch({ producerId, producerEpoch }: TxnOffsetCommitRequest): void {
    const known = groups.log.log.producers.get(producerId);
    if (known !== undefined && producerEpoch < known.epoch) throw new Refusal(ErrorCode.INVALID_PRODUCER_EPOCH);
  }

  function checkMember({ groupId, generationId, memberId, groupInstanceId }: TxnOffsetCommitRequest): void {
    if (generationId < 0 && memberId === '' && groupInstanceId === undefined) return;
    const group = groups.get(groupId);
    if (generationId < 0 && (group === undefined || group.state === 'Empty')) return;
    if (group === undefined) throw new Refusal(ErrorCode.ILLEGAL_GENERATION);
    group.memberOrThrow(memberId, groupInstanceId);
    group.checkGeneration(generationId);
  }
}
