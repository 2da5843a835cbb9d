import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '@millrace/core';
import { beforeAll, expect, it, vi } from 'vitest';
import { defaultKafkaVersion, kafkaJars } from '../../kafka/kafka-jars.ts';
import { describeWithJavaAndKafka } from '../kafka-under-test.ts';
import type { InputRecord, OutputRecord, TestCluster } from '../runtime/cluster.ts';
import { TestApplication } from '../runtime/test-application.ts';
import type { TopologyName } from '../runtime/topologies.ts';
import { KafkaStreamsPeer } from './kafka-streams-peer.ts';

// Two programs, one of them Java, start one after the other: half a minute on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

const PARTITIONS = 2;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
/**
 * A whole minute, so that windows of a minute begin with it; and so near that the broker, which looks every five minutes for what is
 * older than the retention of a window store's changelog, has nothing to delete while one program waits for the other.
 */
const T0 = Math.floor(systemClock.nowMs() / MINUTE) * MINUTE - 60 * MINUTE;

type Side = 'Millrace' | 'Kafka Streams';

interface Scenario {
  readonly topology: TopologyName;
  readonly inputs: readonly string[];
  /** Writes what the first program gets, then what the second one gets, each with an empty state directory. */
  readonly parts: readonly ((cluster: TestCluster, topic: (name: string) => string) => Promise<void>)[];
  /** What has to be there before the second program starts, besides that the inputs have been consumed. */
  readonly expectedBefore?: readonly string[];
  readonly expected: readonly string[];
  readonly results: (cluster: TestCluster, topic: (name: string) => string) => Promise<readonly string[]>;
  /** Called again and again until all results are there. */
  readonly goOn?: (cluster: TestCluster, topic: (name: string) => string, round: number) => Promise<void>;
}

type Reader = (record: OutputRecord) => string | undefined;

/** Every record of the output counts. */
function written(read: Reader): Scenario['results'] {
  return async (cluster, topic) => {
    const results = (await cluster.read(topic('output'))).map(read);
    return results.filter((result) => result !== undefined);
  };
}

/** The last record of each key counts: what comes before depends on which record is faster. */
function valid(readers: Readonly<Record<string, Reader>>): Scenario['results'] {
  return async (cluster, topic) => {
    const results: string[] = [];
    for (const [name, read] of Object.entries(readers)) {
      const rows = new Map((await cluster.read(topic(name))).map((record) => [record.key, record]));
      for (const row of rows.values()) if (row.value !== undefined) results.push(read(row) ?? '');
    }
    return results;
  };
}

const text = ({ key, value }: OutputRecord): string => `${key} ${value?.toString('utf8') ?? 'absent'}`;
const counted = ({ key, value }: OutputRecord): string => `${key} ${value?.readBigInt64BE()}`;

function keys(count: number, timestamp: number, value = 'x'): InputRecord[] {
  return Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value, timestamp }));
}

const counting: Scenario = {
  topology: 'dslCounting',
  inputs: ['input'],
  parts: [
    (cluster, topic) => cluster.write(topic('input'), [...keys(6, T0), ...keys(6, T0 + 1), ...keys(3, T0 + 2)]),
    (cluster, topic) => cluster.write(topic('input'), [...keys(7, T0 + 3), ...keys(2, T0 + 4)]),
  ],
  // Key by key: k0 and k1 occur five times, k2 four times, k3 to k5 three times, k6 once.
  expected: [5, 5, 4, 3, 3, 3, 1].flatMap((times, key) => Array.from({ length: times }, (_, count) => `k${key} ${count + 1}`)),
  results: written(counted),
};

const windowedCounting: Scenario = {
  topology: 'windowedCounting',
  inputs: ['input'],
  parts: [
    (cluster, topic) =>
      cluster.write(topic('input'), [...keys(3, T0), ...keys(3, T0 + 59 * SECOND), ...keys(3, T0 + MINUTE), ...keys(1, T0 + 2)]),
    (cluster, topic) => cluster.write(topic('input'), [...keys(2, T0 + 30 * SECOND), ...keys(4, T0 + 61 * SECOND)]),
  ],
  expected: [
    ...[1, 2, 3, 4].map((count) => `k0 ${T0}=${count}`),
    ...[1, 2, 3].map((count) => `k1 ${T0}=${count}`),
    ...[1, 2].map((count) => `k2 ${T0}=${count}`),
    ...['k0', 'k1', 'k2'].flatMap((key) => [1, 2].map((count) => `${key} ${T0 + MINUTE}=${count}`)),
    `k3 ${T0 + MINUTE}=1`,
  ],
  results: written(text),
};

const leftJoining: Scenario = {
  topology: 'leftJoining',
  inputs: ['left', 'right'],
  parts: [
    async (cluster, topic) => {
      await cluster.write(topic('left'), keys(6, T0, 'L1'));
      await cluster.write(topic('right'), keys(2, T0 + SECOND, 'R1'));
    },
    async (cluster, topic) => {
      // k0 to k3 find the left records of the first part, k4 and k5 stay alone, the new left k1 finds the right one of old.
      await cluster.write(topic('right'), keys(4, T0 + 30 * SECOND, 'R2'));
      await cluster.write(topic('left'), [{ key: 'k1', value: 'L2', timestamp: T0 + 45 * SECOND }]);
    },
  ],
  expected: [
    ...['k0', 'k1'].map((key) => `${key} L1+R1`),
    ...['k0', 'k1', 'k2', 'k3'].map((key) => `${key} L1+R2`),
    'k1 L2+R1',
    'k1 L2+R2',
    'k4 L1+none',
    'k5 L1+none',
  ],
  results: written((record) => (record.key.startsWith('tick') ? undefined : text(record))),
  /** Results without partner come when stream time goes on, and a program looks for them once a second of wall-clock time at most. */
  goOn: (cluster, topic, round) =>
    cluster.write(
      topic('left'),
      Array.from({ length: PARTITIONS }, (_, partition) => ({
        key: `tick-${partition}`,
        value: 't',
        partition,
        timestamp: T0 + 30 * MINUTE + round * SECOND,
      })),
    ),
};

function rows(values: Readonly<Record<string, string | undefined>>, timestamp: number): InputRecord[] {
  return Object.entries(values).map(([key, value]) => ({ key, timestamp, ...(value !== undefined && { value }) }));
}

/** The second program has to find the subscriptions and the results of the first, and to take old ones back. */
const referring: Scenario = {
  topology: 'referring',
  inputs: ['input', 'customers'],
  parts: [
    async (cluster, topic) => {
      await cluster.write(topic('customers'), rows({ c0: 'Ann', c1: 'Bob', c2: 'Cid' }, T0));
      const orders = { o0: 'c0:a', o1: 'c1:b', o2: 'c2:c', o3: 'c3:d', o4: 'c0:e', o5: 'c1:f', o6: 'c2:g', o7: 'c3:h' };
      await cluster.write(topic('input'), rows(orders, T0 + SECOND));
    },
    async (cluster, topic) => {
      await cluster.write(topic('input'), rows({ o1: 'c2:b', o2: undefined }, T0 + 2 * SECOND));
      await cluster.write(topic('customers'), rows({ c0: 'Amy', c1: undefined, c3: 'Dan' }, T0 + 3 * SECOND));
    },
  ],
  expectedBefore: [
    ...['o0 a for Ann', 'o1 b for Bob', 'o2 c for Cid', 'o3 d for nobody'],
    ...['o4 e for Ann', 'o5 f for Bob', 'o6 g for Cid', 'o7 h for nobody'],
    ...['Ann 2', 'Bob 2', 'Cid 2', 'nobody 2'],
  ],
  expected: [
    ...['o0 a for Amy', 'o1 b for Cid', 'o3 d for Dan', 'o4 e for Amy', 'o5 f for nobody', 'o6 g for Cid', 'o7 h for Dan'],
    ...['Amy 2', 'Ann 0', 'Bob 0', 'Cid 2', 'Dan 2', 'nobody 1'],
  ],
  results: valid({ output: text, counts: counted }),
};

/** One of the two programs, as long as it runs. */
interface RunningProgram extends AsyncDisposable {
  readonly output: string;
  /** Resolves when it has its tasks. */
  running(): Promise<void>;
  /** Asks it to commit and end. @returns its exit code */
  stop(): Promise<number | null>;
}

describeWithJavaAndKafka('topics of one program, continued by the other', (brokers) => {
  beforeAll(() => kafkaJars(defaultKafkaVersion), 300_000);

  /** Each part has a state directory of its own: all that the second program knows comes from the topics. */
  async function start(side: Side, application: TestApplication, topology: TopologyName, part: number): Promise<RunningProgram> {
    const stateDir = `${application.stateDir}/part-${part}`;
    const { id: applicationId, prefix } = application;
    if (side === 'Kafka Streams') return KafkaStreamsPeer.start({ brokers, applicationId, stateDir, topology, prefix });
    const worker = application.worker({ stateDir }, { topology });
    return {
      get output() {
        return worker.output;
      },
      running: () => worker.running(),
      stop: async () => (await worker.stop()).code,
      [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
    };
  }

  /** Waits until all results are there; the assertion that follows shows what is missing. */
  async function arrived(
    { cluster, prefix }: TestApplication,
    { results, goOn }: Scenario,
    expected: readonly string[],
  ): Promise<readonly string[]> {
    const topic = (name: string): string => `${prefix}${name}`;
    const deadline = systemClock.monotonicMs() + 60_000;
    for (let round = 0; ; round++) {
      const found = (await results(cluster, topic)).toSorted();
      if (isDeepStrictEqual(found, expected.toSorted()) || systemClock.monotonicMs() > deadline) return found;
      await goOn?.(cluster, topic, round);
      await systemClock.sleep(200);
    }
  }

  async function continued(scenario: Scenario, sides: readonly [Side, Side]): Promise<void> {
    const { topology, inputs, parts, expectedBefore, expected, results } = scenario;
    await using application = await TestApplication.create({ brokers, topology, partitions: 0 });
    const { cluster, prefix } = application;
    const topic = (name: string): string => `${prefix}${name}`;
    for (const name of [...inputs, 'output', 'counts']) await cluster.create(topic(name), PARTITIONS);
    for (const [part, side] of sides.entries()) {
      await parts[part]?.(cluster, topic);
      await using program = await start(side, application, topology, part);
      await program.running();
      for (const input of inputs) {
        await application.drained(topic(input)).catch((cause: unknown) => {
          throw new Error(`${side} has not consumed its input:\n${program.output}`, { cause });
        });
      }
      const wanted = part === 0 ? expectedBefore : expected;
      if (wanted !== undefined) expect(await arrived(application, scenario, wanted), program.output).toEqual(wanted.toSorted());
      expect(await program.stop(), program.output).toBe(0);
      // Who tells for a second in vain that it leaves is still a member, and the other program cannot be one beside it.
      await expect.poll(async () => (await cluster.client.admin.describeGroup(application.id)).state).toBe('Empty');
    }
    expect((await results(cluster, topic)).toSorted(), application.log).toEqual(expected.toSorted());
  }

  for (const scenario of [counting, windowedCounting, leftJoining, referring]) {
    it(`${scenario.topology}: Kafka Streams goes on where Millrace stopped`, () =>
      continued(scenario, ['Millrace', 'Kafka Streams']));
    it(`${scenario.topology}: Millrace goes on where Kafka Streams stopped`, () =>
      continued(scenario, ['Kafka Streams', 'Millrace']));
  }
});
