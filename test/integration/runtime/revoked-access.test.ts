import type { SaslOptions } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KafkaBroker, startKafka } from '../../kafka/broker.ts';
import { isInstalled, runJava } from '../broker/run-program.ts';
import { describeWithSecureKafka } from '../kafka-under-test.ts';
import { numberedRecords } from './numbered-records.ts';
import { writeWhile } from './shared-work.ts';
import { TestApplication } from './test-application.ts';
import type { Worker } from './worker.ts';

/** After this the broker wants the credentials again, or ends the connection. */
const REAUTHENTICATION_MS = 3000;
/** What a worker may print between the loss of its rights and its end. Without a bound each lane would tell at each attempt. */
const LINES_MAX = 30;

/** Who comes without credentials administers the broker; others may do what is not forbidden them. */
const SETTINGS = {
  'connections.max.reauth.ms': String(REAUTHENTICATION_MS),
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'allow.everyone.if.no.acl.found': 'true',
};

/** With the tools of Kafka to start. */
const SLOW = { timeout: 300_000 };
/** What is written while the worker loses its rights. */
const FEED = { keys: 10, perKey: 1, perSecond: 50 };

const hasJava = isInstalled(process.env.JAVA || 'java', '-version');

describeWithSecureKafka('rights that are taken away while the application runs', () => {
  describe.skipIf(!hasJava)(hasJava ? 'are noticed at once' : 'are noticed (skipped: there is no Java)', () => {
    let broker: KafkaBroker;
    beforeAll(async () => {
      broker = await startKafka({ secure: true, settings: SETTINGS });
    }, 180_000);
    afterAll(() => broker.stop());

    const secure = () => broker.secure ?? expect.fail('the broker has no secured listeners');
    const sasl = (): SaslOptions => ({ mechanism: 'scram-sha-512', ...secure().user });

    async function tool(mainClass: string, ...options: readonly string[]): Promise<void> {
      const { code, stdout, stderr } = await runJava(mainClass, ['--bootstrap-server', broker.brokers, ...options]);
      expect(code, `${stdout}\n${stderr}`).toBe(0);
    }

    /** Forgets the password of the user, or takes one from now on. */
    async function changeCredentials(...change: readonly string[]): Promise<void> {
      const user = ['--entity-type', 'users', '--entity-name', secure().user.username];
      await tool('kafka.admin.ConfigCommand', '--alter', ...user, ...change);
    }

    /** Starts a worker that comes with credentials, and waits until it has worked. */
    async function working(application: TestApplication, transport: 'socket' | 'kafkajs'): Promise<Worker> {
      const worker = application.worker({}, { brokers: secure().saslPlaintext, sasl: sasl(), transport });
      await application.cluster.write(application.input, numberedRecords(10, 5));
      await application.drained();
      return worker;
    }

    /** What the worker has ended with. It has said so in few words, and none of them is the password. */
    async function failureOf(worker: Worker, linesBefore: number): Promise<object> {
      expect((await worker.ended).code, worker.output).toBe(1);
      const since = worker.events.slice(linesBefore).filter(({ event }) => event === 'log');
      expect(since.length, worker.output).toBeLessThan(LINES_MAX);
      expect(worker.output).not.toContain(secure().user.password);
      return worker.events.findLast(({ event }) => event === 'ended')?.failure ?? { message: worker.output };
    }

    it.each([
      ['socket', 'idle', false],
      ['socket', 'working', true],
      ['kafkajs', 'idle', false],
      ['kafkajs', 'working', true],
    ] as const)('F43 the password, from a worker over %s that is %s', SLOW, async (transport, _what, isBusy) => {
      await using application = await TestApplication.create({ brokers: broker.brokers, partitions: 1 });
      const worker = await working(application, transport);
      const before = worker.events.length;
      const revoke = async (): Promise<object> => {
        await changeCredentials('--delete-config', 'SCRAM-SHA-512');
        return failureOf(worker, before);
      };
      try {
        const failure = isBusy ? (await writeWhile(application, FEED, revoke)).result : await revoke();
        expect(failure).toMatchObject({
          code: 'AUTHENTICATION_FAILED',
          message: expect.stringMatching(/127\.0\.0\.1:\d+/) as string,
        });
      } finally {
        await changeCredentials('--add-config', `SCRAM-SHA-512=[password=${secure().user.password}]`);
      }
    });

    it('F43 the right to write the output', SLOW, async () => {
      await using application = await TestApplication.create({ brokers: broker.brokers, partitions: 1 });
      const worker = await working(application, 'socket');
      const before = worker.events.length;
      const user = `User:${secure().user.username}`;
      const rule = ['--add', '--deny-principal', user, '--operation', 'Write', '--topic', application.output];
      // The broker heeds the rule a moment after the tool has been answered.
      const { result: failure } = await writeWhile(application, FEED, async () => {
        await tool('org.apache.kafka.tools.AclCommand', ...rule);
        return failureOf(worker, before);
      });
      expect(failure).toMatchObject({
        code: 'TOPIC_AUTHORIZATION_FAILED',
        message: expect.stringContaining('grant the principal') as string,
        topic: application.output,
      });
    });
  });
});
