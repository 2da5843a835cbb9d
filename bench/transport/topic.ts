import type { Transport } from '@millrace/client/lane';
import { createTopics, decodeResponse, deleteTopics, encodeRequest, metadata } from '@millrace/wire';

const admin = { flexible: true, lane: 'admin', timeoutMs: 30_000 } as const;

/** A topic of one broker for one measurement. */
export interface BenchTopic {
  readonly name: string;
  readonly partitions: number;
  /** The broker that leads all its partitions. */
  readonly leader: number;
}

export async function createTopic(transport: Transport, partitions: number): Promise<BenchTopic> {
  const name = `bench-transport-${process.pid}-${Date.now()}`;
  const body = encodeRequest(createTopics, 7, { topics: [{ name, numPartitions: partitions, replicationFactor: 1 }] });
  const created = decodeResponse(createTopics, 7, await transport.send('any', { ...admin, apiKey: 19, apiVersion: 7, body }));
  if (created.topics[0]?.errorCode !== 0) throw new Error(`creating ${name} failed: ${created.topics[0]?.errorMessage}`);
  for (;;) {
    const asked = encodeRequest(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
    const answer = decodeResponse(
      metadata,
      12,
      await transport.send('any', { ...admin, apiKey: 3, apiVersion: 12, body: asked }),
    );
    transport.updateBrokers(answer.brokers);
    const leaders = new Set(answer.topics[0]?.partitions.map((partition) => partition.leaderId));
    const [leader = -1] = leaders;
    if (leaders.size > 1) throw new Error('this program measures one broker; the topic spreads over several');
    if (leader >= 0) return { name, partitions, leader };
  }
}

export async function deleteTopic(transport: Transport, topic: BenchTopic): Promise<void> {
  const body = encodeRequest(deleteTopics, 5, { topicNames: [topic.name], timeoutMs: 10_000 });
  await transport.send('any', { ...admin, apiKey: deleteTopics.key, apiVersion: 5, body });
}
