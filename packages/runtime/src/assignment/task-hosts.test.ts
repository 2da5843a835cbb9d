import { describe, expect, it } from 'vitest';
import { parseTaskId } from '@millrace/core';
import { mergeHosts, type TaskHost } from './task-hosts.ts';

const host = (endpoint: string, active: string, standby = ''): TaskHost => {
  const ids = (text: string) => text.split(' ').filter(Boolean).map(parseTaskId);
  return { endpoint, activeTasks: ids(active), standbyTasks: ids(standby) };
};

describe('mergeHosts', () => {
  it('makes one host of the members with one endpoint, in order', () => {
    expect(mergeHosts([host('b:1', '0_10 0_2'), host('a:1', '1_0'), host('b:1', '0_1', '1_1')])).toEqual([
      host('a:1', '1_0'),
      host('b:1', '0_1 0_2 0_10', '1_1'),
    ]);
  });

  it('names a task once, and as active what one of the threads runs', () => {
    expect(mergeHosts([host('a:1', '0_1 0_1', '0_2'), host('a:1', '0_2', '0_1 0_3 0_3')])).toEqual([
      host('a:1', '0_1 0_2', '0_3'),
    ]);
  });
});
