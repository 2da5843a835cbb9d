import { type Ledger, repartitionOf, taskIdsOf, topicOf } from '../ledger/ledger.ts';
import type { Evidence, LiveRecord, WorkerEvidence } from '../evidence/evidence.ts';
import { committedRecords } from '../evidence/log-view.ts';
import { SimulatedLedger } from './simulated-ledger.ts';

/**
 * The evidence of a run in which everything was right although things happened: a transaction was aborted by a newer epoch and
 * done again by another producer, a worker was killed, a copy of its stores was taken. Now and then somebody asked.
 */
export function healthyEvidence(seed = 1): Evidence {
  const ledger: Ledger = {
    applicationId: 'run.app',
    prefix: 'run.',
    guarantee: 'exactly_once_v2',
    partitions: 3,
    cached: true,
  };
  const run = new SimulatedLedger(ledger, seed);
  const first = { producerId: 1000, producerEpoch: 0 };
  run.slice(15, first, { kind: 'commit' });
  run.dump('worker-0', 'query', false);
  run.dump('worker-0', 'kill', false);
  run.slice(15, first, { kind: 'abort', epoch: 1 });
  run.dump('worker-1', 'query', false);
  run.slice(20, { producerId: 1001, producerEpoch: 0 }, { kind: 'commit' });
  run.dump('worker-1', 'query', false);
  run.slice(100, { producerId: 1000, producerEpoch: 2 }, { kind: 'commit' });
  run.slice(0, { producerId: 1000, producerEpoch: 2 }, { kind: 'commit' });
  run.dump('worker-1', 'last-query', true);
  run.dump('worker-1', 'end', true);
  return evidenceOf(run);
}

function evidenceOf(run: SimulatedLedger): Evidence {
  const { ledger } = run;
  const logs = run.logs.all();
  const committedOffsets = new Map<string, number>();
  for (let partition = 0; partition < ledger.partitions; partition++) {
    committedOffsets.set(`${topicOf(ledger, 'in')}-${partition}`, run.inputOffsets[partition] as number);
    committedOffsets.set(`${repartitionOf(ledger)}-${partition}`, run.groupOffsets[partition] as number);
    for (const name of ['rates', 'echo'] as const)
      committedOffsets.set(`${topicOf(ledger, name)}-${partition}`, run.logs.endOffset(topicOf(ledger, name), partition));
  }
  const live = new Map<string, readonly LiveRecord[]>();
  for (const [name, log] of logs)
    live.set(
      name,
      committedRecords(log).map(({ offset, key, value }) => ({ offset, key, value })),
    );
  return {
    ledger,
    logs,
    committedOffsets,
    groupMembers: 0,
    stores: run.dumps,
    askedTasks: new Set(taskIdsOf(ledger)),
    live,
    purges: [{ topic: repartitionOf(ledger), partition: 0, logStartOffset: 0, committedOffset: 3 }],
    workers: [worker('worker-0', 'killed'), worker('worker-1', 'clean')],
    skips: [],
    recovery: { drainedAfterMs: 900, drainLimitMs: 10_000, rebalancesAfter: 1, unassignedTasks: [] },
  };
}

function worker(name: string, expectedEnd: 'clean' | 'killed'): WorkerEvidence {
  const samples = Array.from({ length: 120 }, (_, n) => ({
    atMs: n * 10_000,
    rssBytes: 150_000_000 + (n % 7) * 200_000,
    fileDescriptors: 40 + (n % 3),
  }));
  const end = expectedEnd === 'killed' ? { exitCode: null, signal: 'SIGKILL' } : { exitCode: 0, signal: null };
  return { name, expectedEnd, ...end, lingeredMs: 12, leftOpen: [], unhandled: [], samples, droppedRecords: 0 };
}
