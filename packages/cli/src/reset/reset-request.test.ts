import { describe, expect, it } from 'vitest';
import { FakeHost } from '../host/fake-host.ts';
import { main } from '../main.ts';
import { parseOffsetTarget, type OffsetTargetOptions } from './parse-offset-target.ts';
import { resolveResetRequest } from './reset-request.ts';

const HOUR = 3_600_000;
const BASICS = { applicationId: 'app', brokers: 'a:9092' };

describe('where a reset goes', () => {
  it.each<readonly [OffsetTargetOptions, object]>([
    [{}, { kind: 'earliest' }],
    [{ toEarliest: true }, { kind: 'earliest' }],
    [{ toLatest: true }, { kind: 'latest' }],
    [{ toOffset: '12' }, { kind: 'offset', offset: 12 }],
    [{ shiftBy: '-5' }, { kind: 'shift', by: -5 }],
    [{ shiftBy: '+5' }, { kind: 'shift', by: 5 }],
    [{ toDatetime: '2026-01-31T12:00:00' }, { kind: 'time', atMs: Date.UTC(2026, 0, 31, 12) }],
    [{ toDatetime: '2026-01-31T12:00:00.5+02:00' }, { kind: 'time', atMs: Date.UTC(2026, 0, 31, 10, 0, 0, 500) }],
    [{ byDuration: 'PT1H30M' }, { kind: 'time', atMs: 98.5 * HOUR }],
    [{ byDuration: 'P1DT0.5S' }, { kind: 'time', atMs: 76 * HOUR - 500 }],
    [{ byDuration: 'P7D' }, { kind: 'time', atMs: 0 }],
  ])('%j', (options, target) => {
    expect(parseOffsetTarget(options, 100 * HOUR)).toEqual(target);
  });

  it.each<readonly [OffsetTargetOptions, string]>([
    [{ toLatest: true, toOffset: '1' }, '--to-latest and --to-offset: give one'],
    [{ toOffset: '-1' }, '--to-offset -1'],
    [{ shiftBy: 'x' }, '--shift-by x'],
    [{ toDatetime: 'yesterday' }, '--to-datetime yesterday'],
    [{ toDatetime: '2026-13-31T12:00:00' }, '--to-datetime 2026-13-31'],
    [{ byDuration: 'P' }, '--by-duration P:'],
    [{ byDuration: '5m' }, '--by-duration 5m'],
  ])('not %j', (options, message) => {
    expect(() => parseOffsetTarget(options, 0)).toThrow(message);
  });
});

describe('resolveResetRequest', () => {
  it('changes nothing by default', () => {
    expect(resolveResetRequest('t.js', BASICS, new FakeHost())).toEqual({
      module: 't.js',
      connection: { applicationId: 'app', brokers: ['a:9092'] },
      reset: { to: { kind: 'earliest' }, force: false },
      execute: false,
      json: false,
    });
  });

  it('takes lists of topics, and the rest from the environment', () => {
    const host = new FakeHost({ env: { KAFKA_BROKERS: 'b:1', MILLRACE_APPLICATION_ID: 'x', MILLRACE_STATE_DIR: '/s' } });
    const given = { internalTopics: 'a, b,a', intermediateTopics: 'c', force: true, execute: true, json: true };
    expect(resolveResetRequest('t.js', given, host)).toMatchObject({
      connection: { applicationId: 'x', brokers: ['b:1'], stateDir: '/s' },
      reset: { internalTopics: ['a', 'b'], intermediateTopics: ['c'], force: true },
      execute: true,
      json: true,
    });
    expect(() => resolveResetRequest('t.js', { ...given, internalTopics: ',' }, host)).toThrow('--internal-topics');
  });

  it('says what is missing before anything is loaded', async () => {
    const host = new FakeHost();
    expect([await main(['reset', 't.js', '--brokers', 'a:1'], host), host.err]).toEqual([
      2,
      expect.stringContaining('--application-id is missing'),
    ]);
  });
});
