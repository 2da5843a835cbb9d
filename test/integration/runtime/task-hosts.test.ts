import { describe, expect, inject, it } from 'vitest';
import { start } from 'millrace';
import { describeWithKafka } from '../kafka-under-test.ts';
import { TestApplication } from './test-application.ts';
import { buildTopology } from './topologies.ts';

type Started = Awaited<ReturnType<typeof start>>;
type GroupProtocol = 'classic' | 'streams';

const PARTITIONS = 4;
const PROTOCOLS: readonly GroupProtocol[] = inject('kafka').kind === 'kafka' ? ['classic', 'streams'] : ['classic'];

describeWithKafka('where the tasks of a group are', (brokers) => {
  /** Starts a worker in this process. Its tasks have inputs from an internal topic, too. */
  const worker = (application: TestApplication, groupProtocol: GroupProtocol, applicationServer?: string): Promise<Started> =>
    start(
      buildTopology('countingByValue', application.prefix, () => undefined),
      {
        applicationId: application.id,
        brokers: [brokers],
        stateDir: application.stateDir,
        groupProtocol,
        commitIntervalMs: 100,
        ...(applicationServer === undefined ? {} : { applicationServer }),
      },
    );

  /** By endpoint the partitions of the store that run there, as each of the workers knows it. */
  const told = (...workers: Started[]) =>
    Promise.all(
      workers.map(async ({ queries }) => {
        const hosts = await queries.metadataForStore('counts');
        return Object.fromEntries(hosts.map(({ endpoint, activePartitions }) => [endpoint, activePartitions]));
      }),
    );

  /** Waits until all workers know these endpoints, and that so many partitions run there. */
  const agree = async (workers: readonly Started[], endpoints: readonly string[], partitions: (count: number) => boolean) => {
    const isKnown = async (): Promise<boolean> => {
      const [first = {}, ...others] = await told(...workers);
      const isSame = others.every((other) => JSON.stringify(other) === JSON.stringify(first));
      const running = Object.values(first).flat();
      const isOnce = new Set(running).size === running.length;
      return isSame && isOnce && Object.keys(first).sort().join() === endpoints.join() && partitions(running.length);
    };
    await expect.poll(isKnown, { timeout: 60_000, message: `${endpoints}` }).toBe(true);
  };

  describe.each(PROTOCOLS)('under the protocol %s', (groupProtocol) => {
    it('is known to all workers, and follows the tasks', { timeout: 300_000 }, async () => {
      await using application = await TestApplication.create({ brokers, partitions: PARTITIONS });
      await using first = await worker(application, groupProtocol, 'a:1');
      await first.running();
      await agree([first], ['a:1'], (count) => count === PARTITIONS);
      await using second = await worker(application, groupProtocol, '[fd00::2]:2');
      await agree([first, second], ['[fd00::2]:2', 'a:1'], (count) => count === PARTITIONS);
      await second.close();
      await agree([first], ['a:1'], (count) => count === PARTITIONS);
    });

    it('is told to workers that do not say where they can be asked, and not known of them', { timeout: 300_000 }, async () => {
      await using application = await TestApplication.create({ brokers, partitions: PARTITIONS });
      await using silent = await worker(application, groupProtocol);
      await silent.running();
      expect(await told(silent)).toEqual([{}]);
      await using other = await worker(application, groupProtocol, 'b:1');
      await agree([silent, other], ['b:1'], (count) => count > 0 && count < PARTITIONS);
    });
  });
});
