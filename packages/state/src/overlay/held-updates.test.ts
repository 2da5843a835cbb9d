import { RecordContext } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { type Holdable, HeldUpdates } from './held-updates.ts';

interface Row extends Holdable {
  readonly name: string;
}

const row = (name: string): Row => ({ name, update: undefined });

function recordAt(offset: number): RecordContext {
  const record = new RecordContext();
  record.set('input', 3, offset, offset * 10, [{ key: 'h', value: Buffer.from(String(offset)) }]);
  return record;
}

describe('HeldUpdates', () => {
  it('reports each row once, in the order of last updates, with what it was at the last flush', () => {
    const held = new HeldUpdates<Row>();
    const [a, b] = [row('a'), row('b')];
    held.hold(a, 'a0', 1, recordAt(1));
    held.hold(b, 'b0', 2, recordAt(2));
    held.hold(a, 'a1', 3, recordAt(3));
    const seen: unknown[] = [];
    held.flush(recordAt(9), ({ name }, { before, writtenAt }) => seen.push([name, before, writtenAt]));
    expect(seen).toEqual([
      ['b', 'b0', 2],
      ['a', 'a0', 3],
    ]);
    expect(held.isEmpty).toBe(true);
  });

  it('works on the record of the last update while it reports, and on its own again afterwards', () => {
    const held = new HeldUpdates<Row>();
    const a = row('a');
    held.hold(a, undefined, 1, recordAt(1));
    held.hold(a, undefined, 1, recordAt(2));
    const record = recordAt(9);
    const flush = () =>
      held.flush(record, () => {
        expect({ ...record }).toEqual({ ...recordAt(2) });
        throw new Error('downstream');
      });
    expect(flush).toThrow('downstream');
    expect({ ...record }).toEqual({ ...recordAt(9) });
  });

  it('reports updates that reporting causes, in the same flush', () => {
    const held = new HeldUpdates<Row>();
    const [a, b] = [row('a'), row('b')];
    held.hold(a, undefined, 1, recordAt(1));
    const seen: string[] = [];
    held.flush(recordAt(9), ({ name }, { before }) => {
      seen.push(`${name} ${String(before)}`);
      if (seen.length === 1) held.hold(b, 'b0', 1, recordAt(2));
      if (seen.length === 2) held.hold(a, 'a1', 1, recordAt(3));
    });
    expect(seen).toEqual(['a undefined', 'b b0', 'a a1']);
    expect(held.isEmpty).toBe(true);
  });

  it('takes no more room for many updates of few rows', () => {
    const held = new HeldUpdates<Row>();
    const rows = [row('a'), row('b'), row('c')];
    const record = recordAt(1);
    for (let i = 0; i < 100_000; i++) held.hold(rows[i % 3] as Row, undefined, i, record);
    expect(Math.max(...rows.map(({ update }) => update?.position ?? 0))).toBeLessThan(2000);
    const seen: string[] = [];
    held.flush(record, ({ name }) => seen.push(name));
    expect(seen).toEqual(['b', 'c', 'a']);
  });
});
