import { RetriableError, type TopicPartition } from '@millrace/core';
import { brokerError } from '../errors/broker-error.ts';
import { consequenceOf } from '../errors/consequence.ts';
import { isConnectionError } from '../errors/transport-error.ts';
import { retrying } from '../retry/retrying.ts';
import type { Cluster } from './cluster.ts';

/** What one partition's leader answered. */
export interface LeaderAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

/**
 * Asks the leaders of partitions, each for its own, until every partition is answered without an error. Partitions whose
 * leader moved are asked again with fresh metadata.
 *
 * @param api name for error messages
 * @param ask one request to one leader about these partitions
 * @throws FatalStreamsError and others, by error code; CancelledError
 */
export async function askLeaders<P extends TopicPartition, A extends LeaderAnswer>(
  cluster: Cluster,
  api: string,
  partitions: readonly P[],
  ask: (nodeId: number, partitions: readonly P[]) => Promise<readonly A[]>,
  signal?: AbortSignal,
): Promise<A[]> {
  const answers: A[] = [];
  let open: readonly P[] = partitions;
  await retrying(cluster.retryOptions(signal), async () => {
    const byLeader = await groupByLeader(cluster, open, signal);
    const rounds = await Promise.all(Array.from(byLeader, ([nodeId, own]) => askOne(cluster, api, () => ask(nodeId, own), own)));
    const failed: RoundFailure[] = [];
    for (const round of rounds) {
      answers.push(...round.answers);
      failed.push(...round.failed);
    }
    if (failed.length === 0) return;
    const keys = new Set(failed.map(({ topic, partition }) => `${topic} ${partition}`));
    open = open.filter(({ topic, partition }) => keys.has(`${topic} ${partition}`));
    throw (failed[0] as RoundFailure).error;
  });
  return answers;
}

interface RoundFailure extends TopicPartition {
  readonly error: Error;
}

async function askOne<P extends TopicPartition, A extends LeaderAnswer>(
  cluster: Cluster,
  api: string,
  ask: () => Promise<readonly A[]>,
  partitions: readonly P[],
): Promise<{ answers: A[]; failed: RoundFailure[] }> {
  try {
    const answers: A[] = [];
    const failed: RoundFailure[] = [];
    for (const answer of await ask()) {
      if (answer.errorCode === 0) answers.push(answer);
      else failed.push({ topic: answer.topic, partition: answer.partition, error: answerError(cluster, api, answer) });
    }
    return { answers, failed };
  } catch (error) {
    if (!isConnectionError(error)) throw error;
    for (const { topic } of partitions) cluster.refreshSoon(topic);
    return { answers: [], failed: partitions.map(({ topic, partition }) => ({ topic, partition, error: error as Error })) };
  }
}

function answerError(cluster: Cluster, api: string, { topic, partition, errorCode }: LeaderAnswer): Error {
  if (consequenceOf(errorCode) === 'refresh-metadata') cluster.refreshSoon(topic);
  return brokerError(errorCode, { api, topic, partition });
}

async function groupByLeader<P extends TopicPartition>(
  cluster: Cluster,
  partitions: readonly P[],
  signal: AbortSignal | undefined,
): Promise<Map<number, P[]>> {
  const byLeader = new Map<number, P[]>();
  for (const one of partitions) {
    await cluster.topic(one.topic, signal);
    const leader = cluster.leader(one.topic, one.partition);
    if (leader === undefined) {
      cluster.refreshSoon(one.topic);
      throw new RetriableError('LEADER_NOT_AVAILABLE', 'the partition has no leader at the moment; retrying', one);
    }
    const same = byLeader.get(leader);
    if (same === undefined) byLeader.set(leader, [one]);
    else same.push(one);
  }
  return byLeader;
}
