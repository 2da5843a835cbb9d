import { describe, expect, it } from 'vitest';
import { FakeHost, type FakeHostParts } from '../host/fake-host.ts';
import { createProgram } from './program.ts';
import type { RawOptions } from './raw-options.ts';
import { resolveRunRequest, type RunRequest } from './run-request.ts';

/** Through commander, as the real command line goes. */
async function parse(args: readonly string[], parts: FakeHostParts = {}): Promise<RunRequest> {
  const host = new FakeHost(parts);
  let request: RunRequest | undefined;
  const commands = {
    run: async (module: string, options: RawOptions) => {
      request = resolveRunRequest(module, options, host);
      return 0;
    },
    describe: async () => 0,
    reset: async () => 0,
    broker: async () => 0,
  };
  await createProgram(host, '1.2.3', commands, () => undefined).parseAsync(['run', 'topology.js', ...args], { from: 'user' });
  return request as RunRequest;
}

const NEEDED = ['--brokers', 'a:9092, b:9092', '--application-id', 'checkout'];

describe('resolveRunRequest', () => {
  it('takes what the command line has and leaves the rest to the defaults', async () => {
    expect(await parse(NEEDED)).toEqual({
      module: 'topology.js',
      start: { applicationId: 'checkout', brokers: ['a:9092', 'b:9092'] },
      threads: undefined,
      logLevel: 'info',
      view: true,
    });
  });

  it('takes a number of threads, or as many as there are processors', async () => {
    expect(await parse([...NEEDED, '--threads', '3'])).toMatchObject({ threads: 3 });
    expect(await parse(NEEDED, { env: { MILLRACE_THREADS: 'auto' } })).toMatchObject({ threads: 'auto' });
    for (const wrong of ['0', '-1', 'many', '1.5']) {
      await expect(parse([...NEEDED, `--threads=${wrong}`])).rejects.toThrow(`--threads ${wrong}: give a whole number`);
    }
  });

  it('turns every option into its setting', async () => {
    const options =
      '--state-dir /state --guarantee exactly_once_v2 --commit-interval-ms 250 --group-instance-id one --group-protocol classic';
    const more = '--transport socket --log-level warn --no-view --config maxTaskIdleMs=-1 --config compression=lz4';
    const timeouts = ['--processing-timeout-ms', '60000', '--dead-letter-topic', 'checkout-failed'];
    const { start, logLevel, view } = await parse([...NEEDED, ...options.split(' '), ...more.split(' '), ...timeouts]);
    expect(start).toEqual({
      applicationId: 'checkout',
      brokers: ['a:9092', 'b:9092'],
      stateDir: '/state',
      guarantee: 'exactly_once_v2',
      commitIntervalMs: 250,
      groupInstanceId: 'one',
      groupProtocol: 'classic',
      transport: 'socket',
      maxTaskIdleMs: -1,
      compression: 'lz4',
      processingTimeoutMs: 60_000,
      deadLetterTopic: 'checkout-failed',
    });
    expect([logLevel, view]).toEqual(['warn', false]);
  });

  it('falls back to the environment, and prefers the command line', async () => {
    const env = {
      KAFKA_BROKERS: 'env:9092',
      MILLRACE_APPLICATION_ID: 'from-env',
      MILLRACE_GUARANTEE: 'exactly_once_v2',
      MILLRACE_COMMIT_INTERVAL_MS: '50',
      MILLRACE_STATE_DIR: '',
    };
    const { start } = await parse(['--application-id', 'given'], { env });
    expect(start).toEqual({
      applicationId: 'given',
      brokers: ['env:9092'],
      guarantee: 'exactly_once_v2',
      commitIntervalMs: 50,
    });
  });

  it('keeps the configuration of internal topics apart', async () => {
    const { start } = await parse([...NEEDED, '--config', 'topicConfig.retention.ms=1000', '--config', 'topicConfig.x=a=b']);
    expect(start.topicConfig).toEqual({ 'retention.ms': '1000', x: 'a=b' });
  });

  it('takes tags and copies for the placement of tasks', async () => {
    const options = '--standby-replicas 1 --client-tag zone=a --client-tag rack=7 --on-topology-mismatch refuse';
    const { start } = await parse([...NEEDED, ...options.split(' '), '--config', 'rackAwareAssignmentTags=zone, rack']);
    expect(start).toMatchObject({
      numStandbyReplicas: 1,
      clientTags: { zone: 'a', rack: '7' },
      rackAwareAssignmentTags: ['zone', 'rack'],
      onTopologyMismatch: 'refuse',
    });
  });

  it('takes what is to happen when state and Kafka do not fit', async () => {
    const options = '--on-missing-offsets reset --on-recreated-input reset --allow-changelog-rebuild';
    const { start } = await parse([...NEEDED, ...options.split(' ')], { env: { MILLRACE_ON_STATE_DISK_FULL: 'fail' } });
    expect(start).toMatchObject({
      onMissingOffsets: 'reset',
      onRecreatedInput: 'reset',
      allowChangelogRebuild: true,
      onStateDiskFull: 'fail',
    });
  });

  it('reads certificates and passwords from files', async () => {
    const files = { 'ca.pem': 'PEM', 'secret.txt': 's3cret\n' };
    const sasl = '--ca ca.pem --sasl-mechanism scram-sha-512 --sasl-username me --sasl-password-file secret.txt';
    const { start } = await parse([...NEEDED, ...sasl.split(' ')], { files });
    expect(start.tls).toEqual({ ca: 'PEM' });
    expect(start.sasl).toEqual({ mechanism: 'scram-sha-512', username: 'me', password: 's3cret' });
  });

  it('takes a password from the environment, and TLS from a switch', async () => {
    const env = { MILLRACE_SASL_PASSWORD: 'pw', MILLRACE_TLS: '1', MILLRACE_SASL_MECHANISM: 'plain' };
    const { start } = await parse([...NEEDED, '--sasl-username', 'me'], { env });
    expect(start.tls).toBe(true);
    expect(start.sasl).toEqual({ mechanism: 'plain', username: 'me', password: 'pw' });
    expect((await parse(NEEDED, { env: { MILLRACE_TLS: 'false' } })).start.tls).toBeUndefined();
  });

  it.each([
    ['no brokers', ['--application-id', 'x'], {}, '--brokers is missing; give it, or set KAFKA_BROKERS'],
    ['no application', ['--brokers', 'a:1'], {}, '--application-id is missing'],
    ['empty brokers', ['--application-id', 'x', '--brokers', ' , '], {}, 'give host:port'],
    ['a bad number', [...NEEDED, '--commit-interval-ms', '1s'], {}, '--commit-interval-ms 1s: give a whole number'],
    ['a bad tag', [...NEEDED, '--client-tag', 'zone'], {}, '--client-tag "zone": give name=value'],
    ['a bad count', [...NEEDED, '--standby-replicas', 'one'], {}, '--standby-replicas one: give a whole number of copies'],
    ['a bad pair', [...NEEDED, '--config', 'pollMs'], {}, '--config "pollMs": give name=value'],
    ['a bad variable', NEEDED, { MILLRACE_GUARANTEE: 'twice' }, 'MILLRACE_GUARANTEE=twice: give one of at_least_once, exactly'],
    ['a bad choice', [...NEEDED, '--guarantee', 'twice'], {}, 'Allowed choices are at_least_once, exactly_once_v2'],
    ['a missing file', [...NEEDED, '--ca', 'no.pem'], {}, '--ca no.pem: ENOENT'],
    ['no user', [...NEEDED, '--sasl-mechanism', 'plain'], {}, '--sasl-mechanism plain needs --sasl-username'],
    ['no password', [...NEEDED, '--sasl-mechanism', 'plain', '--sasl-username', 'me'], {}, 'set MILLRACE_SASL_PASSWORD'],
    ['no mechanism', [...NEEDED, '--sasl-username', 'me'], {}, 'need --sasl-mechanism'],
  ])('refuses %s', async (_what, args, env, message) => {
    await expect(parse(args, { env })).rejects.toThrow(message);
  });
});
