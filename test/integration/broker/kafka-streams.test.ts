import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from '@millrace/broker';
import { systemClock } from '@millrace/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultKafkaVersion, kafkaJars } from '../../kafka/kafka-jars.ts';
import { KafkaStreamsPeer } from '../interop/kafka-streams-peer.ts';
import { type InputRecord, type OutputRecord, TestCluster } from '../runtime/cluster.ts';
import { isInstalled } from './run-program.ts';

const hasJava = isInstalled(process.env.JAVA || 'java', '-version');
const reason = hasJava ? '' : ' (skipped: there is no Java)';
/** So near that the broker has nothing to delete for its age. */
const T0 = Math.floor(systemClock.nowMs()) - 3_600_000;

interface Scenario {
  readonly topology: string;
  readonly inputs: Readonly<Record<string, readonly InputRecord[]>>;
  readonly expected: readonly string[];
  readonly textOf: (record: OutputRecord) => string;
}

const words = ['to', 'be', 'or', 'not', 'to', 'be'];

const wordCount: Scenario = {
  topology: 'dslCounting',
  inputs: { input: words.map((key, index) => ({ key, value: 'x', timestamp: T0 + index })) },
  expected: ['be 1', 'be 2', 'not 1', 'or 1', 'to 1', 'to 2'],
  textOf: ({ key, value }) => `${key} ${value?.readBigInt64BE()}`,
};

const windowedJoin: Scenario = {
  topology: 'leftJoining',
  inputs: {
    left: ['a', 'b'].map((key) => ({ key, value: 'L', timestamp: T0 })),
    right: ['a', 'b'].map((key) => ({ key, value: 'R', timestamp: T0 + 30_000 })),
  },
  expected: ['a L+R', 'b L+R'],
  textOf: ({ key, value }) => `${key} ${value?.toString('utf8')}`,
};

const cases = ([1, 2] as const).flatMap((transactionVersion) =>
  [wordCount, windowedJoin].map((scenario) => ({ ...scenario, transactionVersion })),
);

describe.skipIf(!hasJava)(`Kafka Streams, exactly_once_v2, on the development broker${reason}`, () => {
  beforeAll(() => kafkaJars(defaultKafkaVersion), 300_000);

  it.each(cases)('$topology, transactions $transactionVersion', { timeout: 300_000 }, async (scenario) => {
    const { topology, transactionVersion, inputs, expected, textOf } = scenario;
    await using broker = await startBroker({ transactionVersion });
    const brokers = broker.bootstrapServers;
    await using cluster = new TestCluster(brokers);
    for (const name of [...Object.keys(inputs), 'output']) await cluster.create(name, 2);
    for (const [name, records] of Object.entries(inputs)) await cluster.write(name, records);
    const stateDir = await mkdtemp(join(tmpdir(), 'millrace-streams-'));
    await using peer = await KafkaStreamsPeer.start({ brokers, applicationId: 'app', stateDir, topology, prefix: '' });
    await peer.running();
    const output = await cluster
      .readUntil('output', (records) => records.length >= expected.length)
      .catch((cause: unknown) => {
        throw new Error(`Kafka Streams has not written its results:\n${peer.output}`, { cause });
      });
    expect(await peer.stop(), peer.output).toBe(0);
    expect(output.map(textOf).sort()).toEqual(expected);
    expect((await cluster.read('output')).length).toBe(expected.length);
    await rm(stateDir, { recursive: true, force: true });
  });
});
