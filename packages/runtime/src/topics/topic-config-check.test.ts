import { describe, expect, it } from 'vitest';
import { configProblems } from './topic-config-check.ts';

const table = { 'cleanup.policy': 'compact', 'message.timestamp.type': 'CreateTime' };
const windowed = { 'cleanup.policy': 'compact,delete', 'retention.ms': '90000' };
const repartition = { 'cleanup.policy': 'delete', 'retention.ms': '-1' };

describe('F20: the configuration of an internal topic', () => {
  it.each<readonly [what: string, wanted: Record<string, string>, found: Record<string, string>, problems: readonly string[]]>([
    ['as it was asked for', table, table, []],
    ['with settings of no consequence', table, { ...table, 'segment.bytes': '7', 'retention.ms': '5' }, []],
    ['not told by the broker', table, {}, []],
    ['that deletes rows of a table', table, { 'cleanup.policy': 'delete' }, ['cleanup.policy is delete, it must be compact']],
    [
      'that deletes old rows of a table',
      table,
      { 'cleanup.policy': 'compact,delete' },
      ['cleanup.policy is compact,delete, it must be compact'],
    ],
    ['that keeps all windows', windowed, { 'cleanup.policy': 'compact', 'retention.ms': '1' }, []],
    ['that keeps windows longer', windowed, { 'cleanup.policy': 'delete, compact', 'retention.ms': '-1' }, []],
    [
      'that keeps windows for too short',
      windowed,
      { 'cleanup.policy': 'compact,delete', 'retention.ms': '60000' },
      ['retention.ms is 60000, it must be 90000 or more'],
    ],
    [
      'that deletes by size',
      windowed,
      { 'cleanup.policy': 'delete', 'retention.ms': '90000', 'retention.bytes': '100' },
      ['retention.bytes is 100, it must be -1'],
    ],
    [
      'that compacts what is on its way',
      repartition,
      { 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' },
      ['cleanup.policy is compact,delete, it must be delete'],
    ],
    [
      'that deletes what has not been read',
      repartition,
      { 'cleanup.policy': 'delete', 'retention.ms': '604800000' },
      ['retention.ms is 604800000, it must be -1'],
    ],
    [
      'that replaces the times of rows',
      table,
      { ...table, 'message.timestamp.type': 'LogAppendTime' },
      ['message.timestamp.type is LogAppendTime, it must be CreateTime'],
    ],
  ])('%s', (_what, wanted, found, problems) => {
    expect(configProblems(wanted, new Map(Object.entries(found)))).toEqual(problems);
  });
});
