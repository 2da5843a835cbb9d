import fc from 'fast-check';
import type { AsyncOrder } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { AsyncStage } from './async-stage.ts';

/** A record, and how the calls for it go: each waits, then succeeds or fails. */
interface Script {
  readonly key: string;
  readonly attempts: readonly { readonly takesMs: number; readonly fails: boolean }[];
}

const scripts: fc.Arbitrary<Script[]> = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    attempts: fc.array(fc.record({ takesMs: fc.integer({ min: 0, max: 120 }), fails: fc.boolean() }), {
      minLength: 3,
      maxLength: 3,
    }),
  }),
  { maxLength: 60 },
);

const settings = fc.record({
  order: fc.constantFrom<AsyncOrder>('perKey', 'perPartition', 'none'),
  concurrency: fc.integer({ min: 1, max: 8 }),
  timeoutMs: fc.constant(100),
  attempts: fc.integer({ min: 1, max: 3 }),
  backoffMs: fc.integer({ min: 0, max: 30 }),
});

/** What a task does: takes a record when it may, forwards what has come in, lets time pass. */
async function run(records: readonly Script[], chosen: Parameters<AsyncStage['lane']>[1] & { readonly concurrency: number }) {
  const stage = new AsyncStage();
  const running = new Map<string, number>();
  const seen = { callsMax: 0, heldMax: 0, perKeyMax: 0 };
  const lane = stage.lane(async (index, { attempt, signal }, key) => {
    const name = String(key);
    const count = (change: number): number => {
      running.set(name, (running.get(name) ?? 0) + change);
      return running.get(name) ?? 0;
    };
    seen.callsMax = Math.max(seen.callsMax, stage.work.openCalls);
    seen.perKeyMax = Math.max(seen.perKeyMax, count(1));
    // What goes on after its signal has fired is no call any more.
    signal.addEventListener('abort', () => count(-1), { once: true });
    const step = records[index as number]?.attempts[attempt - 1];
    await stage.clock.sleep(step?.takesMs ?? 0);
    if (!signal.aborted) count(-1);
    if (step?.fails === true) throw new Error(`attempt ${attempt}`);
    return index;
  }, chosen);
  for (let next = 0; next < records.length || stage.work.held > 0; ) {
    while (next < records.length && !stage.work.isFull) stage.submit(lane, records[next]?.key, next++);
    seen.heldMax = Math.max(seen.heldMax, stage.work.held);
    await stage.forward();
    if (stage.work.held > 0) await stage.clock.advance(10);
  }
  return { stage, seen };
}

/** Whether the record succeeds, computed without any concurrency. */
function succeeds({ attempts }: Script, limits: { readonly attempts: number; readonly timeoutMs: number }): boolean {
  return attempts.slice(0, limits.attempts).some(({ takesMs, fails }) => !fails && takesMs < limits.timeoutMs);
}

const increasing = (numbers: readonly number[]): boolean => numbers.every((n, i) => i === 0 || n > (numbers[i - 1] as number));

describe('asynchronous work, however long calls take and whichever fail', () => {
  it('forwards each record once or fails it once, in the order promised, within its bounds', async () => {
    // A call that takes exactly as long as it may could go either way.
    const clear = scripts.filter((all) => all.every(({ attempts }) => attempts.every(({ takesMs }) => takesMs !== 100)));
    await fc.assert(
      fc.asyncProperty(clear, settings, async (records, chosen) => {
        const { stage, seen } = await run(records, chosen);
        const done = stage.forwarded.map(({ result }) => result as number);
        expect([...done].sort((a, b) => a - b)).toEqual(
          records.flatMap((script, index) => (succeeds(script, chosen) ? [index] : [])),
        );
        const failures = stage.failed.map(({ offset }) => offset).sort((a, b) => a - b);
        expect(failures).toEqual(records.flatMap((script, index) => (succeeds(script, chosen) ? [] : [index])));
        expect(stage.forwarded.every(({ offset, result }) => offset === result)).toBe(true);
        if (chosen.order === 'perPartition') expect(increasing(done)).toBe(true);
        if (chosen.order !== 'none') {
          for (const key of ['a', 'b', 'c', 'd']) {
            expect(increasing(done.filter((index) => records[index]?.key === key))).toBe(true);
          }
          expect(seen.perKeyMax).toBeLessThanOrEqual(1);
        }
        expect(Math.max(seen.callsMax, seen.heldMax)).toBeLessThanOrEqual(chosen.concurrency);
        expect([stage.work.held, stage.work.openCalls]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps nothing and forwards nothing once it has been abandoned, at whatever moment', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, settings, fc.integer({ min: 0, max: 400 }), async (records, chosen, atMs) => {
        const stage = new AsyncStage();
        const signals: AbortSignal[] = [];
        const lane = stage.lane(async (index, { attempt, signal }) => {
          signals.push(signal);
          const step = records[index as number]?.attempts[attempt - 1];
          await stage.clock.sleep(step?.takesMs ?? 0);
          if (step?.fails === true) throw new Error('failed');
        }, chosen);
        for (const [index, { key }] of records.entries()) stage.submit(lane, key, index);
        await stage.clock.advance(atMs);
        const calls = signals.length;
        const open = stage.work.openCalls;
        stage.work.abandon('revoked');
        const cutOff = signals.filter(({ aborted, reason }) => aborted && reason.name === 'AbortError');
        expect(cutOff).toHaveLength(open);
        await stage.clock.advance(10_000);
        expect(await stage.forward()).toBe(0);
        expect([stage.work.held, stage.work.openCalls, stage.work.isFull, signals.length]).toEqual([0, 0, false, calls]);
      }),
      { numRuns: 80 },
    );
  });
});
