import { json, string } from '@millrace/core';
import { joinStore, outerJoinStore } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JoinWindows } from '../windows/join-windows.ts';
import { OperatorHarness } from './operator-harness.ts';
import { type StreamJoinKind, streamStreamJoinOperators } from './stream-stream-join.ts';
import { streamJoinWindowOperator } from './stream-join-window.ts';

type Side = 'left' | 'right';

async function start(kind: StreamJoinKind, windows: JoinWindows, retentionMs = 1_000_000) {
  const harness = new OperatorHarness();
  const stores = { retentionMs, spanMs: Math.max(1, windows.sizeMs) };
  await harness.open(joinStore('l', string(), json<string>(), stores));
  await harness.open(joinStore('r', string(), json<string>(), stores));
  if (kind !== 'inner') await harness.open(outerJoinStore('outer', string(), json<string>(), json<string>(), stores));
  const join = streamStreamJoinOperators<string, string, string, string>({
    kind,
    windows,
    joiner: (left, right) => `${left ?? '-'}${right ?? '-'}`,
    leftStore: 'l',
    rightStore: 'r',
    outerStore: kind === 'inner' ? undefined : 'outer',
  });
  const createNodes = () => ({
    left: harness.node(streamJoinWindowOperator({ store: 'l' }), harness.node(join.left)),
    right: harness.node(streamJoinWindowOperator({ store: 'r' }), harness.node(join.right)),
  });
  let nodes = createNodes();
  const restart = () => {
    nodes = createNodes();
  };
  const pipe = (side: Side, value: string | undefined, at: number, key: string | undefined = 'k') => {
    harness.pipe(nodes[side], key, value, at);
    return harness.take().map((one) => `${one.value}@${one.at}`);
  };
  return { harness, pipe, restart };
}

const within = (difference: number, grace = 0) => JoinWindows.ofTimeDifferenceAndGrace(difference, grace);

describe('stream-stream join', () => {
  it('inner: pairs records within the window, both ends inclusive, with the later timestamp', async () => {
    const { pipe } = await start('inner', within(10));
    expect(pipe('left', 'a', 20)).toEqual([]);
    expect(pipe('right', 'x', 10)).toEqual(['ax@20']);
    expect(pipe('right', 'y', 30)).toEqual(['ay@30']);
    expect(pipe('right', 'z', 31)).toEqual([]);
    expect(pipe('left', 'b', 25)).toEqual(['by@30', 'bz@31']);
  });

  it('inner: drops records without key or value', async () => {
    const { harness, pipe } = await start('inner', within(10));
    expect(pipe('left', undefined, 1)).toEqual([]);
    expect(harness.dropped).toEqual(['null key or value']);
  });

  it('left: gives the result without partner when stream time passes window and grace, before other results', async () => {
    const { pipe } = await start('left', within(10, 5));
    expect(pipe('left', 'a', 20)).toEqual([]);
    expect(pipe('right', 'x', 35, 'other')).toEqual([]);
    expect(pipe('left', 'b', 35, 'other')).toEqual(['bx@35']);
    expect(pipe('left', 'c', 36, 'other')).toEqual(['a-@20', 'cx@36']);
  });

  it('left: a match within grace prevents the result without partner', async () => {
    const { pipe } = await start('left', within(10, 5));
    pipe('left', 'a', 20);
    pipe('left', 'b', 33, 'other');
    expect(pipe('right', 'x', 25)).toEqual(['ax@25']);
    expect(pipe('left', 'c', 100, 'other')).toEqual(['b-@33']);
  });

  it('left: a record whose window has passed when it comes is answered at once, although grace runs', async () => {
    const { pipe } = await start('left', within(10, 50));
    pipe('right', 'x', 100, 'other');
    expect(pipe('left', 'a', 89)).toEqual(['a-@89']);
    expect(pipe('left', 'b', 90)).toEqual([]);
  });

  it('left: only a record at the front of stream time looks for expired ones', async () => {
    const { pipe } = await start('left', within(10, 20));
    pipe('left', 'a', 20);
    pipe('right', undefined, 100);
    expect(pipe('left', 'b', 95, 'other')).toEqual([]);
    expect(pipe('left', 'c', 100, 'other')).toEqual(['a-@20']);
  });

  it('outer: expired records come in order of time, right before left', async () => {
    const { pipe } = await start('outer', within(10));
    pipe('left', 'b', 21);
    pipe('left', 'a', 20);
    pipe('right', 'x', 21, 'other');
    expect(pipe('right', 'y', 40, 'third')).toEqual(['a-@20', '-x@21', 'b-@21']);
  });

  it('outer: a record without key is joined with nothing at once, on either side', async () => {
    const { harness, pipe } = await start('outer', within(10));
    expect(pipe('left', 'a', 5, null as unknown as string)).toEqual(['a-@5']);
    expect(pipe('right', 'x', 6, null as unknown as string)).toEqual(['-x@6']);
    expect(harness.dropped).toEqual([]);
  });

  it('looks for expired records at most once per emit interval of wall clock', async () => {
    const { harness, pipe } = await start('left', within(10));
    harness.emitIntervalMs = 1000;
    harness.wallClockMs = 5000;
    expect(pipe('left', 'a', 0)).toEqual([]);
    expect(pipe('left', 'b', 20)).toEqual([]);
    harness.wallClockMs = 6000;
    expect(pipe('left', 'c', 40)).toEqual(['a-@0', 'b-@20']);
    harness.wallClockMs = 6999;
    expect(pipe('left', 'd', 60)).toEqual([]);
  });

  it('finds what was pending before a restart', async () => {
    const { pipe, restart } = await start('left', within(10));
    pipe('left', 'a', 0);
    restart();
    expect(pipe('left', 'b', 20, 'other')).toEqual(['a-@0']);
  });

  it.each(['inner', 'left', 'outer'] as const)('%s: agrees with a naive join over all records', async (kind) => {
    const record = fc.record({
      side: fc.constantFrom<Side>('left', 'right'),
      key: fc.constantFrom('a', 'b'),
      at: fc.integer({ min: 20, max: 80 }),
    });
    const shape = fc.record({
      before: fc.integer({ min: -5, max: 15 }),
      after: fc.integer({ min: -5, max: 15 }),
      grace: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 30 }), shape, async (records, { before, after, grace }) => {
        fc.pre(before + after >= 0);
        const windows = JoinWindows.ofTimeDifferenceAndGrace(20, grace).before(before).after(after);
        const { harness, pipe } = await start(kind, windows);
        const results: string[] = [];
        for (const [index, { side, key, at }] of records.entries()) {
          results.push(...pipe(side, `${side[0]}${index}`, at, key));
          if (index % 5 === 4) await harness.commit();
        }
        results.push(...pipe('left', 'end', 1_000_000, 'end').filter((result) => !result.startsWith('end')));
        expect(harness.dropped).toEqual([]);
        compareWithNaive(kind, windows, records, results);
      }),
    );
  });
});

interface NaiveRecord {
  readonly side: Side;
  readonly key: string;
  readonly at: number;
}

/** Every pair once; every record of an outer side without partner once; and one whose partner came too late, at most once. */
function compareWithNaive(
  kind: StreamJoinKind,
  windows: JoinWindows,
  records: readonly NaiveRecord[],
  results: readonly string[],
): void {
  const streamTimes = records.map((_, index) => Math.max(...records.slice(0, index + 1).map((one) => one.at)));
  const pairs: string[] = [];
  const unmatched: string[] = [];
  const overtaken: string[] = [];
  for (const [index, one] of records.entries()) {
    const name = `${one.side[0]}${index}`;
    const partners = [...records.keys()].filter((other) => isPair(windows, one, records[other] as NaiveRecord));
    if (one.side === 'left') {
      for (const at of partners) pairs.push(`${name}r${at}@${Math.max(one.at, (records[at] as NaiveRecord).at)}`);
    }
    if (kind === 'inner' || (kind === 'left' && one.side === 'right')) continue;
    const alone = one.side === 'left' ? `${name}-@${one.at}` : `-${name}@${one.at}`;
    const [firstPartner] = partners;
    const windowEnd = one.at + (one.side === 'left' ? windows.afterMs : windows.beforeMs);
    if (firstPartner === undefined) unmatched.push(alone);
    else if (firstPartner < index) continue;
    // Its own window had passed when it came (grace or not), or the grace had when its partner came.
    else if (windowEnd < (streamTimes[index] as number) || windowEnd + windows.graceMs < (streamTimes[firstPartner] as number)) {
      overtaken.push(alone);
    }
  }
  expect(results.filter((result) => !result.includes('-')).toSorted()).toEqual(pairs.toSorted());
  const alone = results.filter((result) => result.includes('-') && !overtaken.includes(result));
  expect(alone.toSorted()).toEqual(unmatched.toSorted());
  expect(new Set(results).size).toBe(results.length);
}

function isPair(windows: JoinWindows, one: NaiveRecord, other: NaiveRecord): boolean {
  if (one.key !== other.key || one.side === other.side) return false;
  const [left, right] = one.side === 'left' ? [one, other] : [other, one];
  return right.at >= left.at - windows.beforeMs && right.at <= left.at + windows.afterMs;
}
