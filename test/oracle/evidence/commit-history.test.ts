import { describe, expect, it } from 'vitest';
import { CommitHistory } from './commit-history.ts';
import type { LogEntry, PartitionLog } from './evidence.ts';

type Line = readonly [kind: LogEntry['kind'], producerId: number, key?: string, value?: string];

function historyOf(...lines: readonly Line[]): CommitHistory {
  const entries = lines.map(([kind, producerId, key, value], offset): LogEntry => {
    const isTransactional = producerId >= 0;
    return { offset, kind, producerId, producerEpoch: 0, isTransactional, timestamp: 0, key, value, headers: {} };
  });
  const end = entries.length;
  const place = { topic: 'changelog', partition: 0, logStartOffset: 0, highWatermark: end, lastStableOffset: end };
  return new CommitHistory({ ...place, entries, visible: new Set() } satisfies PartitionLog);
}

const rows = (content: { readonly [key: string]: string }): Map<string, string> => new Map(Object.entries(content));

describe('the history of a changelog', () => {
  const history = historyOf(
    ['record', 1, 'a', '1'],
    ['record', 1, 'b', '1'],
    ['commit', 1],
    ['record', 1, 'a', 'passing'],
    ['record', 1, 'a', '2'],
    ['record', 2, 'b', 'aborted'],
    ['record', 1, 'b'],
    ['abort', 2],
    ['commit', 1],
    ['record', 1, 'b', '1'],
    ['commit', 1],
    ['record', 1, 'a', 'open'],
  );

  it.each([{}, { a: '1', b: '1' }, { a: '2' }, { a: '2', b: '1' }])('has the rows of each commit: %j', (content) => {
    expect(history.defectOf(rows(content))).toBeUndefined();
  });

  it.each([
    [{ a: '2', b: 'aborted' }, 'row b is aborted, which was never committed'],
    [{ a: 'open', b: '1' }, 'row a is open, which was never committed'],
    [{ a: 'passing', b: '1' }, 'row a is passing, which was never committed'],
    [{ a: '2', b: '1', c: '1' }, 'row c is 1, which was never committed'],
    [{ a: '1' }, 'row b is absent, as in the beginning and at 1 other times, but other rows are as after the commit at 2'],
    [{ b: '1' }, 'row b is 1, as after the commit at 2 and at 1 other times, but other rows are as in the beginning'],
  ])('has no commit with the rows %j', (content, defect) => {
    expect(history.defectOf(rows(content as { [key: string]: string }))).toBe(defect);
  });

  it('takes a record outside of transactions for a commit', () => {
    const plain = historyOf(['record', -1, 'a', '1'], ['record', -1, 'b', '1']);
    expect(plain.defectOf(rows({ a: '1' }))).toBeUndefined();
    expect(plain.defectOf(rows({ b: '1' }))).toContain('row b is 1');
  });
});
