import { describe, expect, it } from 'vitest';
import { resolveSettings } from './resolve-settings.ts';
import type { StreamsSettings } from './settings.ts';

describe('resolveSettings', () => {
  it('commits every 100 ms under exactly-once and every 30 s otherwise', () => {
    expect(resolveSettings({ applicationId: 'a' }).commitIntervalMs).toBe(30_000);
    expect(resolveSettings({ applicationId: 'a', guarantee: 'exactly_once_v2' }).commitIntervalMs).toBe(100);
    expect(resolveSettings({ applicationId: 'a', guarantee: 'exactly_once_v2', commitIntervalMs: 7 }).commitIntervalMs).toBe(7);
  });

  it('treats an undefined option as not given', () => {
    const input = { applicationId: 'a', pollMs: undefined } as unknown as StreamsSettings;
    expect(resolveSettings(input).pollMs).toBe(100);
  });

  it('reports all problems at once, each with name, value and what is accepted', () => {
    const input = { applicationId: 'a/b', guarantee: 'twice', pollMs: 0.5, commitInterval: 3 } as unknown as StreamsSettings;
    expect(() => resolveSettings(input)).toThrow(
      [
        'the settings cannot be used:',
        '  - commitInterval: there is no such setting',
        '  - applicationId: "a/b"; give 1 to 200 characters of A-Z a-z 0-9 . _ -',
        '  - pollMs: 0.5; give an integer from 1 to 60000',
        '  - guarantee: "twice"; give one of at_least_once, exactly_once_v2',
      ].join('\n'),
    );
  });

  it('refuses a transaction timeout below the commit interval', () => {
    expect(() => resolveSettings({ applicationId: 'a', guarantee: 'exactly_once_v2', commitIntervalMs: 20_000 })).toThrow(
      'the broker would abort every transaction',
    );
  });

  it('refuses what only the broker can be told when it assigns the tasks', () => {
    const input = { applicationId: 'a', groupProtocol: 'streams', groupInstanceId: 'i-1', numStandbyReplicas: 1 } as const;
    expect(() => resolveSettings(input)).toThrow(/groupInstanceId: "i-1".*\n.*streams\.num\.standby\.replicas/);
    expect(resolveSettings({ applicationId: 'a', groupProtocol: 'streams' })).toMatchObject({ groupProtocol: 'streams' });
  });

  it('takes the place at which the process can be asked as host:port only', () => {
    expect(resolveSettings({ applicationId: 'a' }).applicationServer).toBeUndefined();
    for (const applicationServer of ['worker-1:8080', '10.0.0.7:1', '[fd00::7]:65535', `${'h'.repeat(253)}:65535`]) {
      expect(resolveSettings({ applicationId: 'a', applicationServer })).toMatchObject({ applicationServer });
    }
    const wrong = [
      '',
      'worker-1',
      ':80',
      'h:0',
      'h:65536',
      'h:080',
      ' h:80',
      'fd00::7:80',
      '[h]:80',
      'http://h:80',
      `${'h'.repeat(300)}:1`,
      7,
    ];
    for (const applicationServer of wrong as string[]) {
      expect(() => resolveSettings({ applicationId: 'a', applicationServer })).toThrow(
        `applicationServer: ${JSON.stringify(applicationServer)}; give host:port`,
      );
    }
  });

  it('refuses names that would leave the state directory', () => {
    for (const applicationId of ['..', '.', '', 'a\0']) expect(() => resolveSettings({ applicationId })).toThrow('applicationId');
  });
});
