import type { KafkaClient } from '@millrace/client';
import { systemClock } from '@millrace/core';
import type { Topics } from '../topology.ts';
import { StartError } from './start-error.ts';

/** Three times as long as a broker that is there has ever needed. */
const CONNECT_TIMEOUT_MS = 10_000;

/** @throws StartError when no broker answers; FatalStreamsError when the right to create topics is missing */
export async function createTopics(
  client: KafkaClient,
  topics: Topics,
  partitions: number,
  brokers: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const tooLong = new AbortController();
  const cancel = systemClock.setTimer(CONNECT_TIMEOUT_MS, () => tooLong.abort());
  const all = Object.values(topics).map(({ name }) => ({ name, partitions, replicationFactor: -1, configs: {} }));
  try {
    await client.admin.createTopics(all, AbortSignal.any([signal, tooLong.signal]));
  } catch (cause) {
    if (!tooLong.signal.aborted || signal.aborted) throw cause;
    const address = brokers.join(', ');
    throw new StartError(`no Kafka answers at ${address} within 10 s; without --brokers a broker of our own is started`, cause);
  } finally {
    cancel();
  }
}

/** Everything of this run: what it was given and what the application made for itself. */
export async function deleteTraces(client: KafkaClient, applicationId: string): Promise<void> {
  const names = (await client.admin.listTopics()).map(({ name }) => name).filter((name) => name.startsWith(applicationId));
  await client.admin.deleteTopics(names);
  // Of a run that was stopped right after the kill the group still has the member; Kafka forgets it by itself later.
  const { state } = await client.admin.describeGroup(applicationId);
  if (state === 'Empty') await client.admin.deleteGroups([applicationId]);
}
