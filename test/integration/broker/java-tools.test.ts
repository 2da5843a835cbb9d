import { type DevBroker, startBroker } from '@millrace/broker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultKafkaVersion, kafkaJars } from '../../kafka/kafka-jars.ts';
import { isInstalled, runJava } from './run-program.ts';

// Up to six Java programs run one after the other, and each needs several seconds on a busy machine.
vi.setConfig({ testTimeout: 360_000 });

const hasJava = isInstalled(process.env.JAVA || 'java', '-version');
const reason = hasJava ? '' : ' (skipped: there is no Java)';

/** With transactions of version 1 and 2: Java clients use what the broker offers. */
describe.skipIf(!hasJava).each([1, 2] as const)(
  `Java tools on the development broker, transactions %i${reason}`,
  (transactionVersion) => {
    let broker: DevBroker;
    beforeAll(async () => {
      await kafkaJars(defaultKafkaVersion);
      broker = await startBroker({ transactionVersion });
    }, 300_000);
    afterAll(() => broker.stop());

    async function tool(mainClass: string, options: readonly string[], input = ''): Promise<string> {
      const { code, stdout, stderr } = await runJava(mainClass, options, input);
      expect(code, `${stdout}\n${stderr}`).toBe(0);
      return stdout;
    }
    const topics = (...options: readonly string[]) =>
      tool('org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', broker.bootstrapServers, ...options]);

    it('the topic and configuration commands', async () => {
      await topics('--create', '--topic', 'made', '--partitions', '3', '--config', 'cleanup.policy=compact');
      expect(await topics('--describe', '--topic', 'made')).toContain('PartitionCount: 3');
      const target = ['--bootstrap-server', broker.bootstrapServers, '--entity-type', 'topics', '--entity-name', 'made'];
      await tool('kafka.admin.ConfigCommand', [...target, '--alter', '--add-config', 'retention.ms=1234']);
      expect(await tool('kafka.admin.ConfigCommand', [...target, '--describe'])).toContain('retention.ms=1234');
      await topics('--delete', '--topic', 'made');
      expect(await topics('--list')).not.toContain('made');
    });

    it('the console producer and consumer, and the commands of groups', async () => {
      await topics('--create', '--topic', 'console', '--partitions', '2');
      const server = ['--bootstrap-server', broker.bootstrapServers];
      const parse = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:', '--compression-codec', 'lz4'];
      // Of these keys some belong to each partition, so that the consumer has a position in both.
      await tool('org.apache.kafka.tools.ConsoleProducer', [...server, '--topic', 'console', ...parse], 'a:1\nb:2\nd:3\n');
      const read = ['--topic', 'console', '--from-beginning', '--max-messages', '3', '--group', 'console-readers'];
      const print = ['--formatter-property', 'print.key=true', '--formatter-property', 'key.separator=:'];
      const output = await tool('org.apache.kafka.tools.consumer.ConsoleConsumer', [...server, ...read, ...print]);
      expect(output.trim().split('\n').sort()).toEqual(['a:1', 'b:2', 'd:3']);
      const groups = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
      const described = await tool(groups, [...server, '--describe', '--group', 'console-readers']);
      expect(described.split('\n').filter((line) => line.includes('console '))).toHaveLength(2);
      await tool(groups, [...server, '--delete', '--group', 'console-readers']);
    });

    it('the verifiable producer and consumer: everything acknowledged is consumed once', async () => {
      await topics('--create', '--topic', 'verified', '--partitions', '2');
      const server = ['--bootstrap-server', broker.bootstrapServers, '--topic', 'verified'];
      const produced = await tool('org.apache.kafka.tools.VerifiableProducer', [
        ...server,
        '--max-messages',
        '2000',
        '--acks',
        '-1',
      ]);
      const acked = eventsOf(produced).filter(({ name }) => name === 'producer_send_success');
      expect(acked).toHaveLength(2000);
      const options = ['--group-id', 'verifiers', '--reset-policy', 'earliest', '--max-messages', '2000', '--verbose'];
      const consumed = await tool('org.apache.kafka.tools.VerifiableConsumer', [...server, ...options]);
      const values = eventsOf(consumed)
        .filter(({ name }) => name === 'record_data')
        .map(({ value }) => Number(value));
      expect(values.sort((a, b) => a - b)).toEqual(acked.map(({ value }) => Number(value)).sort((a, b) => a - b));
    });

    it('the transactional copier of the performance producer', async () => {
      await topics('--create', '--topic', 'performed');
      const options = ['--topic', 'performed', '--num-records', '2000', '--record-size', '100', '--throughput', '-1'];
      const transactions = ['--transactional-id', 'performer', '--transaction-duration-ms', '50'];
      const output = await tool('org.apache.kafka.tools.ProducerPerformance', [
        '--bootstrap-server',
        broker.bootstrapServers,
        ...options,
        ...transactions,
      ]);
      expect(output).toContain('2000 records sent');
    });
  },
);

interface ToolEvent {
  readonly name: string;
  readonly value?: unknown;
}

function eventsOf(output: string): ToolEvent[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ToolEvent);
}
