import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';

const NEEDED = ['--workload', 'b1', '--brokers', 'a:1,b:2', '--app-id', 'app'];

describe('parseOptions', () => {
  it('has the defaults of the kits', () => {
    expect(parseOptions(NEEDED, {})).toEqual({
      workload: { workload: 'b1', output: 'app-out', windowMs: 5000, graceMs: 60_000 },
      start: {
        applicationId: 'app',
        brokers: ['a:1', 'b:2'],
        clientId: 'app-i0',
        guarantee: 'at_least_once',
        commitIntervalMs: 1000,
        replicationFactor: 1,
      },
      threads: undefined,
      verbose: false,
    });
    expect(parseOptions([...NEEDED, '--guarantee', 'exactly_once_v2'], {}).start.commitIntervalMs).toBe(100);
  });

  it('takes what the chaos kit puts into the environment', () => {
    const { workload, start } = parseOptions([], {
      CHAOS_WORKLOAD: 'c2',
      CHAOS_BROKERS: 'p:1',
      CHAOS_APP_ID: 'chaos',
      CHAOS_STATE_DIR: '/state',
      CHAOS_GUARANTEE: 'exactly_once_v2',
      CHAOS_COMMIT_MS: '500',
      CHAOS_INSTANCE: '2',
      CHAOS_WINDOW_MS: '7000',
      CHAOS_GRACE_MS: '8000',
      CHAOS_SESSION_TIMEOUT_MS: '6000',
      CHAOS_REQUEST_TIMEOUT_MS: '5000',
      CHAOS_TRANSACTION_TIMEOUT_MS: '10000',
    });
    expect(workload).toMatchObject({ windowMs: 7000, graceMs: 8000 });
    expect(start).toEqual({
      applicationId: 'chaos',
      brokers: ['p:1'],
      clientId: 'chaos-i2',
      guarantee: 'exactly_once_v2',
      commitIntervalMs: 500,
      replicationFactor: 1,
      stateDir: '/state',
      cacheMaxBytes: 0,
      sessionTimeoutMs: 6000,
      requestTimeoutMs: 5000,
      transactionTimeoutMs: 10_000,
    });
  });

  it('passes the extras of b7 on', () => {
    const { start } = parseOptions([...NEEDED, ...'--cache-bytes 0 --linger-ms 5 --transport socket'.split(' ')], {});
    expect(start).toMatchObject({ cacheMaxBytes: 0, lingerMs: 5, transport: 'socket' });
  });

  it('asks for standby tasks, for runs of the chaos kit with them', () => {
    expect(parseOptions([...NEEDED, '--standbys', '1'], {}).start.numStandbyReplicas).toBe(1);
  });

  it.each([
    [['--workload', 'b1', '--app-id', 'app'], '--brokers is missing'],
    [[...NEEDED, '--guarantee', 'maybe'], '--guarantee maybe: give one of'],
    [[...NEEDED, '--commit-ms', 'x'], '--commit-ms x: give a whole number'],
    [[...NEEDED, '--unknown'], "Unknown option '--unknown'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args, {})).toThrow(message);
  });
});
