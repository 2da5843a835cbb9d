import { systemClock } from '@millrace/core';
import { beforeAll, expect, it } from 'vitest';
import { defaultKafkaVersion, kafkaJars } from '../../kafka/kafka-jars.ts';
import { describeWithJavaAndKafka } from '../kafka-under-test.ts';
import type { InputRecord, OutputRecord, TestCluster } from '../runtime/cluster.ts';
import { TestApplication } from '../runtime/test-application.ts';
import type { TopologyName } from '../runtime/topologies.ts';
import { KafkaStreamsPeer } from './kafka-streams-peer.ts';

const PARTITIONS = 2;
/** A whole minute, so that windows of a minute begin with it. */
const T0 = Date.UTC(2026, 0, 5, 12);
const SECOND = 1000;
const MINUTE = 60 * SECOND;

type Side = 'Millrace' | 'Kafka Streams';

interface Scenario {
  readonly topology: TopologyName;
  readonly inputs: readonly string[];
  /** Writes what the first program gets, then what the second one gets, each with an empty state directory. */
  readonly parts: readonly ((cluster: TestCluster, topic: (name: string) => string) => Promise<void>)[];
  readonly expected: readonly string[];
  readonly read: (record: OutputRecord) => string | undefined;
}

const text = ({ key, value }: OutputRecord): string => `${key} ${value?.toString('utf8') ?? 'absent'}`;

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
  read: ({ key, value }) => `${key} ${value?.readBigInt64BE()}`,
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
  read: text,
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
  read: (record) => (record.key.startsWith('tick') ? undefined : text(record)),
};

/** One of the two programs, as long as it runs. */
interface RunningProgram extends AsyncDisposable {
  readonly output: string;
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
      stop: async () => (await worker.stop()).code,
      [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
    };
  }

  async function resultsIn(application: TestApplication, { read }: Scenario): Promise<string[]> {
    const results = (await application.cluster.read(application.output)).map(read);
    return results.filter((result) => result !== undefined).sort();
  }

  /**
   * Results without partner come when stream time goes on, and a program looks for them once a second of wall-clock time at
   * most: later records come until everything that is expected is there.
   */
  async function advanceStreamTime(application: TestApplication, scenario: Scenario): Promise<void> {
    const deadline = systemClock.monotonicMs() + 20_000;
    for (let tick = 0; (await resultsIn(application, scenario)).length < scenario.expected.length; tick++) {
      if (systemClock.monotonicMs() > deadline) return;
      const timestamp = T0 + 30 * MINUTE + tick * SECOND;
      const ticks = Array.from({ length: PARTITIONS }, (_, partition) => ({
        key: `tick-${partition}`,
        value: 't',
        partition,
        timestamp,
      }));
      await application.cluster.write(`${application.prefix}left`, ticks);
      await systemClock.sleep(200);
    }
  }

  async function continued(scenario: Scenario, sides: readonly [Side, Side]): Promise<void> {
    const { topology, inputs, parts, expected } = scenario;
    await using application = await TestApplication.create({ brokers, topology, partitions: 0 });
    const { cluster, prefix } = application;
    const topic = (name: string): string => `${prefix}${name}`;
    for (const name of [...inputs, 'output']) await cluster.create(topic(name), PARTITIONS);
    for (const [part, side] of sides.entries()) {
      await parts[part]?.(cluster, topic);
      await using program = await start(side, application, topology, part);
      for (const input of inputs) {
        await application.drained(topic(input)).catch((cause: unknown) => {
          throw new Error(`${side} has not consumed its input:\n${program.output}`, { cause });
        });
      }
      if (part === 1 && topology === 'leftJoining') await advanceStreamTime(application, scenario);
      expect(await program.stop(), program.output).toBe(0);
    }
    expect(await resultsIn(application, scenario), application.log).toEqual([...expected].sort());
  }

  for (const scenario of [counting, windowedCounting, leftJoining]) {
    it(`${scenario.topology}: Kafka Streams goes on where Millrace stopped`, () =>
      continued(scenario, ['Millrace', 'Kafka Streams']));
    it(`${scenario.topology}: Millrace goes on where Kafka Streams stopped`, () =>
      continued(scenario, ['Kafka Streams', 'Millrace']));
  }
});
