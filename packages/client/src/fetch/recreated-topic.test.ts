import { fetch, metadata } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { batchAt, fetchAnswer } from '../scripted-transport/scripted-fetch.ts';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { BackgroundFetcher } from './background-fetcher.ts';

const FORMER = '01234567-89ab-cdef-0123-456789abcdef';
const LATTER = 'fedcba98-7654-3210-fedc-ba9876543210';
const UNKNOWN_TOPIC_ID = 100;

/** A cluster whose topic `orders` has an id that can change, and a broker that answers for the right one only. */
async function fetching(hasIds = true) {
  const kafka = scriptedKafka();
  const { transport, cluster, clock } = kafka;
  const topic = { id: FORMER };
  transport.on(metadata, ({ topics }) => ({
    brokers: [{ nodeId: 1, host: 'broker-1', port: 9092 }],
    controllerId: 1,
    topics: (topics ?? []).map(({ name }) => ({
      name,
      errorCode: 0,
      ...(hasIds ? { topicId: topic.id } : {}),
      partitions: [{ errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [], isrNodes: [] }],
    })),
  }));
  transport.on(fetch, async ({ topics }, { version }) => {
    await clock.sleep(100);
    const [asked] = topics;
    if (version < 13 || asked?.topicId === topic.id) return { responses: [] };
    return byId(asked?.topicId ?? '', UNKNOWN_TOPIC_ID);
  });
  await cluster.topic('orders');
  return { ...kafka, topic, fetcher: new BackgroundFetcher(cluster) };
}

function byId(topicId: string, errorCode: number, records?: Buffer) {
  const { responses } = fetchAnswer({ partition: 0, errorCode, ...(records === undefined ? {} : { records }) });
  return { responses: responses.map((one) => ({ ...one, topic: '', topicId })) };
}

describe('a fetcher that was told to which topic an offset belongs', () => {
  it('asks for the topic by its id, and takes what comes under it', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => byId(FORMER, 0, batchAt(5, ['a', 'b'])));
    fetcher.assign('orders', 0, 5, FORMER);
    await clock.settle();
    expect(transport.sent.find(({ name }) => name === 'Fetch')).toMatchObject({
      version: 13,
      body: { topics: [{ topicId: FORMER, partitions: [{ partition: 0, fetchOffset: 5 }] }] },
    });
    expect(fetcher.take()).toMatchObject({ topic: 'orders', partition: 0, nextOffset: 7 });
  });

  it('F21: reports a topic of another id and reads nothing of it, until it is told to', async () => {
    const { transport, clock, topic, fetcher } = await fetching();
    fetcher.assign('orders', 0, 5, FORMER);
    await clock.settle();
    topic.id = LATTER;
    await clock.advance(2000);
    expect(fetcher.takeFailures()).toEqual([
      {
        topic: 'orders',
        partition: 0,
        position: 5,
        reason: 'topic-recreated',
        error: expect.objectContaining({ name: 'FatalStreamsError', code: 'TOPIC_RECREATED' }) as Error,
      },
    ]);
    const asked = transport.bodies(fetch).length;
    await clock.advance(60_000);
    expect([fetcher.available, transport.bodies(fetch).length]).toEqual([false, asked]);
    transport.once(fetch, () => byId(LATTER, 0, batchAt(0, ['new'])));
    fetcher.seek('orders', 0, 0, LATTER);
    await clock.settle();
    expect(fetcher.take()).toMatchObject({ fetchOffset: 0, nextOffset: 1 });
  });

  it('asks by name for partitions of which it knows no id, and for all others in the same request', async () => {
    const { transport, clock, fetcher } = await fetching(false);
    fetcher.assign('orders', 0, 5);
    await clock.settle();
    expect(transport.sent.find(({ name }) => name === 'Fetch')).toMatchObject({
      version: 12,
      body: { topics: [{ topic: 'orders' }] },
    });
  });
});
