import { createKafkaClient, type KafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { CancelledError, silentLogger, systemClock, systemRandom } from '@millrace/core';
import { topicsOf, type Topics } from '../topology.ts';
import { Demo } from './demo.ts';
import type { Display } from './display.ts';
import { createStateFolder } from './state-folder.ts';
import { openKafka } from './open-kafka.ts';
import type { DemoOptions } from './options.ts';
import { createTopics, deleteTraces } from './topics-of-run.ts';

/** So many input partitions, therefore so many tasks for each part of the topology. */
const PARTITIONS = 4;

/**
 * Runs the example as it runs in production: several worker processes, a broker, exactly once. One worker is killed.
 *
 * @param signal stops everything; nothing is left behind
 * @returns whether everything came out right
 * @throws CancelledError after the signal; StartError; FatalStreamsError
 */
export async function runDemo(options: DemoOptions, display: Display, signal: AbortSignal): Promise<boolean> {
  const startedMs = systemClock.monotonicMs();
  await using kafka = await openKafka(options);
  await using folder = await createStateFolder();
  const applicationId = `orders-payments-${systemRandom.uuid().slice(0, 8)}`;
  const topicPrefix = `${applicationId}.`;
  display.event(kafka.description, systemClock.monotonicMs() - startedMs);
  const keep = options.keep || options.brokers.length === 0;
  await using topics = await openTopics(kafka.brokers, applicationId, keep, signal);
  const orders = { applicationId, brokers: kafka.brokers, stateDir: folder.path, topicPrefix };
  await using demo = new Demo({ ...topics, orders, options, display, startedMs, partitions: PARTITIONS });
  return await demo.run(signal);
}

interface TopicsOfRun extends AsyncDisposable {
  readonly client: KafkaClient;
  readonly topics: Topics;
}

/** A connection, and the topics of this run, which disappear with it unless they are to be kept. */
async function openTopics(
  brokers: readonly string[],
  applicationId: string,
  keep: boolean,
  signal: AbortSignal,
): Promise<TopicsOfRun> {
  const topics = topicsOf(`${applicationId}.`);
  const transport = createSocketTransport({ brokers, clientId: applicationId, logger: silentLogger });
  const client = createKafkaClient({ transport, clientId: applicationId });
  try {
    await createTopics(client, topics, PARTITIONS, brokers, signal);
  } catch (error) {
    await client.close();
    throw signal.aborted ? new CancelledError() : error;
  }
  const close = async (): Promise<void> => {
    if (!keep) await deleteTraces(client, applicationId);
    await client.close();
  };
  return { client, topics, [Symbol.asyncDispose]: close };
}
