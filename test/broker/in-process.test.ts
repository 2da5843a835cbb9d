import { type DevBroker, MemoryDisk, startBroker, type Transfer } from '@millrace/broker';
import { RawClient } from '@millrace/broker/raw-client';
import { createKafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { type Random, seededRandom } from '@millrace/core';
import { TestClock } from '@millrace/testing';
import { createTopics, describeCluster, findCoordinator, initProducerId } from '@millrace/wire';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';

/** Lets everything happen that needs neither time nor a delivery. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A network that delivers, one after the other, whatever a seed chooses among what is on its way. */
class SeededNetwork {
  readonly log: string[] = [];
  readonly #random: Random;
  readonly #underWay: Transfer[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  readonly add = (transfer: Transfer): void => void this.#underWay.push(transfer);

  /** @returns false when nothing is under way */
  deliverOne(): boolean {
    const [transfer] = this.#underWay.splice(Math.floor(this.#random.next() * this.#underWay.length), 1);
    if (transfer === undefined) return false;
    const { connection, direction, bytes } = transfer;
    this.log.push(`${connection} ${direction} ${bytes?.toString('hex') ?? 'end'}`);
    transfer.deliver();
    return true;
  }
}

/** Two producers that take a transactional id from each other, while the broker crashes once: all in virtual time. */
async function simulate(seed: number): Promise<readonly string[]> {
  const random = seededRandom(seed);
  const network = new SeededNetwork(random);
  const clock = new TestClock(1_750_000_000_000);
  const disk = new MemoryDisk();
  const settings = { listen: false, disk, clock, random, clusterId: 'simulated' };
  let broker: DevBroker = await startBroker(settings);
  const results: string[] = [];
  const produce = async (name: string): Promise<void> => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const client = new RawClient(broker.connect({ schedule: network.add }).socket);
      try {
        for (const keyType of [0, 1]) await client.send(findCoordinator, 3, { key: 'x', keyType });
        const { errorCode, producerEpoch } = await client.send(initProducerId, 4, {
          transactionalId: 'x',
          transactionTimeoutMs: 1000,
        });
        results.push(`${name} ${errorCode} ${producerEpoch}`);
      } catch {
        results.push(`${name} lost its connection`);
      }
    }
  };
  const done = Promise.all([produce('a'), produce('b')]);
  let isDone = false;
  void done.then(() => (isDone = true));
  for (let step = 0; !isDone; step++) {
    if (step === 25) {
      await broker.crash({ losesUnflushed: random.next() < 0.5 });
      broker = await startBroker(settings);
    }
    if (!network.deliverOne()) clock.advance(1);
    await turn();
  }
  await broker.stop();
  return [...results, ...network.log];
}

describe('a broker without a port', () => {
  it('does the same again when clock, randomness, disk and network do', async () => {
    const [first, again, other] = [await simulate(1), await simulate(1), await simulate(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.filter((line) => line.includes('lost its connection'))).not.toEqual([]);
  });

  it('serves the client of Millrace', async () => {
    await using broker = await startBroker({ listen: false });
    const brokers = broker.bootstrapServers.split(',');
    const transport = createSocketTransport({ brokers, openStream: (endpoint) => broker.connect(endpoint).socket });
    const client = createKafkaClient({ transport });
    await client.admin.createTopics([{ name: 't', partitions: 3, replicationFactor: -1, configs: {} }]);
    expect(broker.inspect().topics.find(({ name }) => name === 't')?.partitions).toHaveLength(3);
    await client.close();
  });

  it('serves kafkajs', async () => {
    await using broker = await startBroker({ listen: false });
    const kafka = new kafkajs.Kafka({
      brokers: [broker.bootstrapServers],
      connectionTimeout: 30_000,
      logLevel: kafkajs.logLevel.NOTHING,
      socketFactory: ({ port, onConnect }) => {
        const { socket } = broker.connect({ port });
        setImmediate(onConnect);
        return socket as never;
      },
    });
    const producer = kafka.producer();
    await producer.connect();
    using admin = new RawClient(broker.connect().socket);
    await admin.send(createTopics, 7, { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1 }] });
    await producer.send({ topic: 't', messages: [{ key: 'k', value: 'v' }] });
    await producer.disconnect();
    expect(broker.readLog('t', 0).flatMap(({ records }) => records)).toMatchObject([{ value: Buffer.from('v') }]);
    expect((await admin.send(describeCluster, 0, {})).errorCode).toBe(0);
  });
});
