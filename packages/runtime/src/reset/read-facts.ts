import { topicPartitionKey, type TopicPartition } from '@millrace/core';
import type { KafkaClient } from '@millrace/client';
import type { TopologyPlan } from '@millrace/topology';
import { isOwnTransactionalId } from '../topics/topic-names.ts';
import { applicationTopics } from './application-topics.ts';
import { localStateOf } from './local-state.ts';
import type { InputFacts } from './offset-target.ts';
import type { ResetFacts } from './reset-plan.ts';
import type { ResetRequest } from './reset-request.ts';

/** Whose facts, and where its state is. */
export interface ResetSubject {
  readonly plan: TopologyPlan;
  readonly applicationId: string;
  readonly stateDir: string;
}

type FactsClient = Pick<KafkaClient, 'admin' | 'offsets'>;

/**
 * Looks at the cluster and this machine; changes nothing.
 *
 * @throws FatalStreamsError what `applicationTopics` throws, and when the principal may not look
 */
export async function readFacts(client: FactsClient, subject: ResetSubject, request: ResetRequest): Promise<ResetFacts> {
  const { plan, applicationId, stateDir } = subject;
  const counts = new Map((await client.admin.listTopics()).map(({ name, partitions }) => [name, partitions]));
  const topics = applicationTopics(plan, applicationId, new Set(counts.keys()), request);
  const partitions = [...topics.inputs, ...topics.intermediates].flatMap((topic) =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
  );
  const [inputs, group, transactions] = await Promise.all([
    readInputs(client, applicationId, partitions, request),
    client.admin.describeGroup(applicationId),
    client.admin.listOpenTransactions(),
  ]);
  return {
    applicationId,
    topics,
    inputs,
    members: group.members,
    transactions: transactions.filter((id) => isOwnTransactionalId(applicationId, id)).sort(),
    localState: localStateOf(stateDir, applicationId),
  };
}

async function readInputs(
  { offsets }: FactsClient,
  groupId: string,
  partitions: readonly TopicPartition[],
  { to }: ResetRequest,
): Promise<InputFacts[]> {
  const [earliest, latest, atTime, committed] = await Promise.all([
    offsets.list(partitions, 'earliest'),
    offsets.list(partitions, 'latest'),
    to?.kind === 'time' ? offsets.list(partitions, { atMs: to.atMs }) : undefined,
    offsets.committed(groupId, partitions),
  ]);
  const before = new Map(committed.map(({ topic, partition, offset }) => [topicPartitionKey(topic, partition), offset]));
  return partitions.map(({ topic, partition }) => {
    const key = topicPartitionKey(topic, partition);
    const from = before.get(key) ?? -1;
    return {
      topic,
      partition,
      earliest: earliest.get(key) ?? 0,
      latest: latest.get(key) ?? 0,
      committed: from < 0 ? undefined : from,
      atTime: atTime?.get(key),
    };
  });
}
