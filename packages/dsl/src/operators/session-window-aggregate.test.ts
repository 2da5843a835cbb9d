import { json, NO_HEADERS, string } from '@millrace/core';
import { sessionStore, type WindowedKey } from '@millrace/state';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionWindows } from '../windows/session-windows.ts';
import { OperatorHarness } from './operator-harness.ts';
import { sessionWindowAggregateOperator } from './session-window-aggregate.ts';

async function start(windows: SessionWindows, options: { readonly caching?: boolean; readonly sendOldValues?: boolean } = {}) {
  const harness = new OperatorHarness();
  const caching = options.caching ?? false;
  const store = await harness.open(sessionStore('agg', string(), json<string>(), { retentionMs: 1_000_000, caching }), {
    caching,
  });
  const node = harness.node(
    sessionWindowAggregateOperator<string, number, string>({
      store: 'agg',
      windows,
      emit: 'on-window-update',
      initializer: () => '',
      aggregator: (aggregate, value) => `${aggregate}+${value}`,
      merger: (a, b) => `(${a}|${b})`,
      sendOldValues: options.sendOldValues ?? false,
    }),
  );
  return { harness, store, node };
}

const session = (key: string, begin: number, end: number): WindowedKey<string> => ({ key, window: { start: begin, end } });

describe('session-windowed aggregate', () => {
  it('extends a session that is at most the gap away: first the deletion of the old one, then the merged one', async () => {
    const { harness, node } = await start(SessionWindows.ofInactivityGapWithNoGrace(5));
    harness.pipe(node, 'a', 1, 20);
    harness.pipe(node, 'a', 2, 25);
    harness.pipe(node, 'a', 3, 31);
    expect(harness.forwarded).toEqual([
      { key: session('a', 20, 20), value: '+1', at: 20 },
      { key: session('a', 20, 20), value: undefined, at: 20 },
      { key: session('a', 20, 25), value: '(|+1)+2', at: 25 },
      { key: session('a', 31, 31), value: '+3', at: 31 },
    ]);
  });

  it('deletes a session also when its bounds stay, unless it is just that instant', async () => {
    const { harness, node } = await start(SessionWindows.ofInactivityGapWithNoGrace(5), { sendOldValues: true });
    harness.pipe(node, 'a', 1, 20);
    harness.pipe(node, 'a', 2, 20);
    harness.pipe(node, 'a', 3, 22);
    harness.pipe(node, 'a', 4, 21);
    expect(harness.forwarded).toEqual([
      { key: session('a', 20, 20), value: '+1', at: 20 },
      { key: session('a', 20, 20), value: '(|+1)+2', at: 20 },
      { key: session('a', 20, 20), value: undefined, at: 20, old: '(|+1)+2' },
      { key: session('a', 20, 22), value: '(|(|+1)+2)+3', at: 22 },
      { key: session('a', 20, 22), value: undefined, at: 22, old: '(|(|+1)+2)+3' },
      { key: session('a', 20, 22), value: '(|(|(|+1)+2)+3)+4', at: 22 },
    ]);
  });

  it('merges the sessions that a record bridges, earlier first', async () => {
    const { harness, store, node } = await start(SessionWindows.ofInactivityGapAndGrace(5, 100));
    harness.pipe(node, 'a', 1, 20);
    harness.pipe(node, 'a', 2, 30);
    harness.take();
    harness.pipe(node, 'a', 3, 25);
    expect(harness.forwarded).toEqual([
      { key: session('a', 20, 20), value: undefined, at: 20 },
      { key: session('a', 30, 30), value: undefined, at: 30 },
      { key: session('a', 20, 30), value: '((|+1)|+2)+3', at: 30 },
    ]);
    expect([...store.fetch('a')]).toEqual([[session('a', 20, 30), '((|+1)|+2)+3']]);
  });

  it('drops a record whose merged session ended more than gap and grace ago', async () => {
    const { harness, node } = await start(SessionWindows.ofInactivityGapAndGrace(5, 2));
    harness.pipe(node, 'a', 1, 100);
    harness.pipe(node, 'b', 2, 93);
    harness.pipe(node, 'b', 3, 92);
    harness.pipe(node, 'c', 4, 92);
    harness.pipe(node, undefined, 5, 1000);
    harness.pipe(node, 'a', 6, 100);
    expect(harness.forwarded.filter((one) => one.value !== undefined).map((one) => one.key)).toEqual([
      session('a', 100, 100),
      session('b', 93, 93),
      session('b', 92, 93),
      session('a', 100, 100),
    ]);
    expect(harness.dropped).toEqual(['expired window', 'null key']);
  });

  it('forwards no headers, as a session belongs to no single record', async () => {
    const { harness, node } = await start(SessionWindows.ofInactivityGapWithNoGrace(5));
    harness.pipe(node, 'a', 1, 1, [{ key: 'h', value: undefined }]);
    expect(harness.forwarded[0]?.headers ?? NO_HEADERS).toEqual([]);
  });

  it('its changes, applied in order, leave the sessions that the accepted records form', async () => {
    const inputs = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), at: fc.nat(80) }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(inputs, fc.nat(8), fc.nat(20), fc.boolean(), async (records, gap, grace, caching) => {
        const { harness, node } = await start(SessionWindows.ofInactivityGapAndGrace(gap, grace), { caching });
        const accepted: Accepted[] = [];
        let streamTime = -1;
        for (const [index, { key, at }] of records.entries()) {
          streamTime = Math.max(streamTime, at);
          const own = component([...accepted, { key, at, index }], { key, at, index }, gap);
          if (Math.max(...own.map((one) => one.at)) >= streamTime - gap - grace) accepted.push({ key, at, index });
          harness.pipe(node, key, index, at);
          if (index % 4 === 3) await harness.commit();
        }
        await harness.commit();
        expect(tableOf(harness.forwarded)).toEqual(sessionsOf(accepted, gap));
      }),
    );
  });
});

interface Accepted {
  readonly key: string;
  readonly at: number;
  readonly index: number;
}

/** All records that chain to `from` in steps of at most the gap. */
function component(records: readonly Accepted[], from: Accepted, gap: number): Accepted[] {
  const found = new Set([from]);
  for (const one of found) {
    for (const other of records) if (other.key === one.key && Math.abs(other.at - one.at) <= gap) found.add(other);
  }
  return [...found];
}

function sessionsOf(accepted: readonly Accepted[], gap: number): Map<string, string> {
  return new Map(
    accepted.map((one) => {
      const own = component(accepted, one, gap);
      const times = own.map((record) => record.at);
      return [`${one.key}@${Math.min(...times)}/${Math.max(...times)}`, members(own.map((record) => record.index))];
    }),
  );
}

/** The table that the changes leave: which records are in which session. */
function tableOf(changes: readonly { readonly key: unknown; readonly value: unknown }[]): Map<string, string> {
  const table = new Map<string, string>();
  for (const { key, value } of changes) {
    const { key: inner, window } = key as WindowedKey<string>;
    const name = `${inner}@${window.start}/${window.end}`;
    if (value == null) table.delete(name);
    else table.set(name, members([...(value as string).matchAll(/\d+/g)].map((match) => Number(match[0]))));
  }
  return table;
}

function members(indexes: readonly number[]): string {
  return indexes.toSorted((a, b) => a - b).join(' ');
}
