import { topicPartitionKey } from '@millrace/core';
import { ErrorCode, murmur2 } from '@millrace/wire';
import { Refusal } from '../refusal.ts';

/** What has a coordinator. */
export type CoordinatedKind = 'group' | 'transaction';

/**
 * Which of the nodes leads a partition, and which coordinates a group or a transactional id.
 *
 * All nodes live in one process and share everything; that a node refuses what is another's is all there is to them. Without
 * it no client would ever learn to find its leader again.
 */
export class Placement {
  readonly nodeIds: readonly number[];
  readonly #moved = new Map<string, number>();

  constructor(firstNodeId: number, count: number) {
    this.nodeIds = Array.from({ length: count }, (_, index) => firstNodeId + index);
  }

  leaderOf(topic: string, partition: number): number {
    return this.#moved.get(`partition ${topicPartitionKey(topic, partition)}`) ?? this.#spread(hashOf(topic) + partition);
  }

  coordinatorOf(kind: CoordinatedKind, key: string): number {
    return this.#moved.get(`${kind} ${key}`) ?? this.#spread(hashOf(key));
  }

  moveLeader(topic: string, partition: number, nodeId: number): void {
    this.#moved.set(`partition ${topicPartitionKey(topic, partition)}`, nodeId);
  }

  moveCoordinator(kind: CoordinatedKind, key: string, nodeId: number): void {
    this.#moved.set(`${kind} ${key}`, nodeId);
  }

  /** @throws Refusal NOT_LEADER_OR_FOLLOWER */
  checkLeader(topic: string, partition: number, nodeId: number): void {
    if (this.leaderOf(topic, partition) !== nodeId) throw new Refusal(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  }

  #spread(number: number): number {
    return this.nodeIds[number % this.nodeIds.length] as number;
  }
}

function hashOf(text: string): number {
  const bytes = Buffer.from(text);
  return murmur2(bytes, 0, bytes.length) & 0x7fffffff;
}
