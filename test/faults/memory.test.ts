import { systemClock } from '@millrace/core';
import { describe, expect, inject, it } from 'vitest';
import { FaultRun, type Seat } from './rig/fault-run.ts';
import { MemoryGroup } from './rig/memory-group.ts';

const brokers = inject('faultBrokers');
const MIB = 1024 * 1024;
const MEMORY_MAX_BYTES = 300 * MIB;
const BUDGET_BYTES = 48 * MIB;
const RECORD_BYTES = 16 * 1024;
const PER_SECOND = 800;
const PRESSURE_MS = 30_000;
/** So much more has to have been written than the worker may hold, or there was no pressure. */
const BACKLOG_BYTES = 1.5 * BUDGET_BYTES;
const BACKLOG_WITHIN_MS = 120_000;
/** Answers to Produce come one after the other, each so much later. */
const ANSWER_DELAY_MS = 100;
/** Several wait one behind the other, and all of them have to come within the request timeout. */
const ANSWER_HELD_MS_MAX = 2000;

/** Counts the bytes of all answers to Fetch. */
function meterFetched({ proxy }: Seat): () => number {
  let bytes = 0;
  const action = (frame: { readonly bytes: Buffer }): void => {
    bytes += frame.bytes.length;
  };
  proxy.add({ api: 'Fetch', side: 'response', times: Infinity, action });
  return () => bytes;
}

describe('memory pressure', () => {
  it('F35 by input that comes faster than outputs are taken: it waits at the broker, and nothing is lost', {
    // 60 s where nothing else runs.
    timeout: 600_000,
  }, async () => {
    const limits = { requestTimeoutMs: 15_000, transactionTimeoutMs: 60_000 };
    // The backlog takes long, and the machine is busy with it: heartbeats may stay away for longer than the usual session.
    const settings = { memoryBudgetBytes: BUDGET_BYTES, sessionTimeoutMs: 20_000, ...limits };
    await using run = await FaultRun.start({ brokers, settings, drainLimitMs: 120_000 });
    await using group = MemoryGroup.create(run.ledger.applicationId, MEMORY_MAX_BYTES);
    const seat = await run.worker('a', { heapMaxMib: 128 });
    group?.add(seat.worker.pid);
    await seat.worker.running();
    await run.watchRepartition();
    const fetched = meterFetched(seat);
    const writtenBytes = (): number => run.source.written * RECORD_BYTES;
    let isOver = false;
    // Who writes may be slow as well: outputs are taken more slowly than that in any case.
    const action = async (): Promise<void> => {
      const untilMs = systemClock.monotonicMs() + ANSWER_HELD_MS_MAX;
      do await systemClock.sleep(ANSWER_DELAY_MS);
      while (!isOver && 2 * fetched() > writtenBytes() && systemClock.monotonicMs() < untilMs);
    };
    const slow = seat.proxy.add({ api: 'Produce', side: 'response', times: Infinity, action });
    run.source.padding = 'p'.repeat(RECORD_BYTES);
    run.source.feed(PER_SECOND);
    await systemClock.sleep(PRESSURE_MS);
    const deadline = systemClock.monotonicMs() + BACKLOG_WITHIN_MS;
    while (writtenBytes() - fetched() < BACKLOG_BYTES && systemClock.monotonicMs() < deadline) await systemClock.sleep(100);
    await run.source.rest();
    const fetchedBytes = fetched();
    const writtenMeanwhile = writtenBytes();
    isOver = true;
    run.source.padding = undefined;
    seat.proxy.remove(slow);
    run.healed();
    expect(await run.verdict()).toBe('');
    const rssBytes = Math.max(...seat.worker.evidence().samples.map((sample) => sample.rssBytes));
    const figures = [writtenMeanwhile, fetchedBytes, rssBytes].map((bytes) => Math.round(bytes / MIB));
    const message = `MiB written, fetched meanwhile (repartitioned ones too), resident at most: ${figures.join(', ')}`;
    expect(writtenMeanwhile - fetchedBytes, message).toBeGreaterThan(BUDGET_BYTES);
    expect(rssBytes, message).toBeLessThan(MEMORY_MAX_BYTES);
    process.stdout.write(`F35 ${message}; ${group === undefined ? 'sampled' : 'in a control group'}\n`);
  });
});
