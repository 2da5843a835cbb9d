import type { TopicPartition } from '@millrace/core';
import type { BrokerState } from '../broker-state.ts';
import type { ClassicGroup, GroupState } from '../groups/classic-group.ts';
import type { GroupOffsets } from '../groups/group-offsets.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { Transaction, TransactionState } from '../transactions/transaction.ts';

/** One partition, internal topics included. */
export interface PartitionContents {
  readonly leaderNodeId: number;
  readonly leaderEpoch: number;
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  readonly highWatermark: number;
  readonly sizeInBytes: number;
  readonly segments: number;
}

export interface TopicContents {
  readonly name: string;
  readonly isInternal: boolean;
  /** What was set for the topic itself. */
  readonly configs: Readonly<Record<string, string>>;
  /** By number. */
  readonly partitions: readonly PartitionContents[];
}

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

export interface GroupContents {
  readonly groupId: string;
  readonly state: GroupState;
  readonly generationId: number;
  readonly protocolName: string | undefined;
  readonly leaderId: string | undefined;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | undefined;
    readonly clientId: string;
  }[];
  readonly offsets: readonly CommittedOffset[];
  /** Partitions whose offset waits for the end of a transaction. */
  readonly pendingOffsets: readonly TopicPartition[];
}

export interface TransactionContents {
  readonly transactionalId: string;
  readonly state: TransactionState;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** −1 while none is open. */
  readonly startedMs: number;
  readonly partitions: readonly TopicPartition[];
}

/** What lies in a broker. */
export interface BrokerContents {
  readonly topics: readonly TopicContents[];
  readonly groups: readonly GroupContents[];
  readonly transactions: readonly TransactionContents[];
}

/** Copies what can be looked at. */
export function contentsOf({ topics, placement, groups, coordinator }: BrokerState): BrokerContents {
  return {
    topics: [...topics.all].map(({ name, isInternal, configs, partitions }) => ({
      name,
      isInternal,
      configs: Object.fromEntries(configs.own),
      partitions: partitions.map((log, partition) => partitionContents(log, placement.leaderOf(name, partition))),
    })),
    groups: [...groups.all].map((group) => groupContents(group, groups.offsets)),
    transactions: [...coordinator.all].map(transactionContents),
  };
}

function partitionContents(log: PartitionLog, leaderNodeId: number): PartitionContents {
  const { leaderEpoch, logStartOffset, lastStableOffset, highWatermark, segments } = log;
  const { sizeInBytes } = segments;
  return {
    leaderNodeId,
    leaderEpoch,
    logStartOffset,
    lastStableOffset,
    highWatermark,
    sizeInBytes,
    segments: segments.all.length,
  };
}

function groupContents(group: ClassicGroup, offsets: GroupOffsets): GroupContents {
  const { id, state, generationId, protocolName, leaderId } = group;
  return {
    groupId: id,
    state,
    generationId,
    protocolName,
    leaderId,
    members: [...group.members.values()].map(({ id: memberId, groupInstanceId, clientId }) => ({
      memberId,
      groupInstanceId,
      clientId,
    })),
    offsets: [...offsets.of(id)].map(({ topic, partition, offset, metadata }) => ({ topic, partition, offset, metadata })),
    pendingOffsets: offsets.pendingOf(id).map(({ topic, partition }) => ({ topic, partition })),
  };
}

function transactionContents(transaction: Transaction): TransactionContents {
  const { transactionalId, state, producerId, producerEpoch, timeoutMs, startedMs, partitions } = transaction;
  return {
    transactionalId,
    state,
    producerId,
    producerEpoch,
    timeoutMs,
    startedMs,
    partitions: [...partitions.values()].map(({ topic, partition }) => ({ topic, partition })),
  };
}
