import { changelogOf, OUTPUTS, repartitionOf, topicOf } from '../ledger/ledger.ts';
import type { CheckId } from '../evidence/evidence.ts';
import {
  type Draft,
  type DraftEntry,
  drop,
  dumpOf,
  logOf,
  type Mutation,
  output,
  repeat,
  resee,
  rewrite,
  survivor,
  swap,
  visibleAt,
} from './draft.ts';
import { answers } from './answer-mutations.ts';

/** Leaves a record of the input out of everything, consistently, as a worker that skips it would. */
function skipSilently(draft: Draft): void {
  const echo = output(draft, 'echo');
  drop(draft, echo, -2);
}

const perOutput: Mutation[] = OUTPUTS.flatMap((name): Mutation[] => {
  const check: CheckId = name === 'echo' || name === 'joined' ? 'V3' : name === 'uid' ? 'V6' : 'V4';
  const middle: Mutation = {
    name: `a record in the middle of ${name} is missing`,
    check,
    apply: (draft) => drop(draft, output(draft, name), 7),
  };
  return [
    { name: `the last record of ${name} is missing`, check, apply: (draft) => drop(draft, output(draft, name), -1) },
    // Behind a cache any update but the last may be missing: it was merged with the next.
    ...(name === 'cnt' ? [] : [middle]),
    {
      name: `a record of ${name} is there twice`,
      check,
      apply: (draft) => repeat(draft, output(draft, name), visibleAt(output(draft, name), -1)),
    },
  ];
});

const contents: Mutation[] = [
  ...(['echo', 'joined'] as const).map(
    (name): Mutation => ({
      name: `two records of ${name} are swapped`,
      check: 'V3',
      apply: (draft) => swap(draft, output(draft, name), 3, 4),
    }),
  ),
  { name: 'two uids are swapped', check: 'V6', apply: (draft) => swap(draft, output(draft, 'uid'), 3, 4) },
  {
    name: 'an output partition has no record at all',
    check: 'V3',
    apply: (draft) => {
      const log = output(draft, 'echo');
      log.entries = [];
      log.visible.clear();
      resee(draft, log);
    },
  },
  {
    name: 'a record of echo is in another partition',
    check: 'V3',
    apply: (draft) => {
      repeat(draft, output(draft, 'echo', 2), visibleAt(output(draft, 'echo'), -1));
      drop(draft, output(draft, 'echo'), -1);
    },
  },
  {
    name: 'a value of echo has changed',
    check: 'V3',
    apply: (draft) => rewrite(draft, output(draft, 'echo'), 5, (value) => Object.assign(value, { v: 999 })),
  },
  {
    name: 'a join has met an old row',
    check: 'V3',
    apply: (draft) => rewrite(draft, output(draft, 'joined'), 5, (value) => Object.assign(value, { rate: 77 })),
  },
  {
    name: 'a sum has changed',
    check: 'V4',
    apply: (draft) => rewrite(draft, output(draft, 'sum'), 5, (value) => Object.assign(value, { sum: (value.sum ?? 0) + 1 })),
  },
  {
    name: 'a count behind the cache is one too high',
    check: 'V4',
    apply: (draft) => rewrite(draft, output(draft, 'cnt'), -2, (value) => Object.assign(value, { n: (value.n ?? 0) + 1 })),
  },
  {
    name: 'a window has counted a record twice',
    check: 'V4',
    apply: (draft) => rewrite(draft, output(draft, 'win'), 2, (value) => Object.assign(value, { n: (value.n ?? 0) + 1 })),
  },
  {
    name: 'a pair was taken for a record without partner',
    check: 'V4',
    apply: (draft) => {
      const log = output(draft, 'pairs');
      const pair = log.entries.find(({ offset, value }) => log.visible.has(offset) && value?.includes('"right":null') === false);
      (pair as DraftEntry).value = JSON.stringify({ ...(JSON.parse(pair?.value ?? '') as object), right: null });
      resee(draft, log);
    },
  },
  {
    name: 'a group has counted another record in place of one',
    check: 'V4',
    apply: (draft) => rewrite(draft, output(draft, 'rcnt'), 2, (value) => Object.assign(value, { id: 'nobody' })),
  },
  {
    name: 'a uid was given twice',
    check: 'V6',
    apply: (draft) => {
      const { uid } = JSON.parse(visibleAt(output(draft, 'uid'), 3).value ?? '') as { uid: number };
      rewrite(draft, output(draft, 'uid'), 9, (value) => Object.assign(value, { uid }));
    },
  },
];

const stores: Mutation[] = [
  {
    name: 'a row of a store is missing',
    check: 'V5',
    apply: (draft) => {
      const { rows } = dumpOf(draft, 'sums', 'end');
      rows.delete([...rows.keys()][0] as string);
    },
  },
  {
    name: 'a deleted row is still in the store',
    check: 'V5',
    apply: (draft) => {
      dumpOf(draft, 'rates', 'end').rows.set('p1k2', '2');
    },
  },
  {
    name: 'store and changelog agree, but not with the input',
    check: 'V5',
    apply: (draft) => {
      const log = logOf(draft, changelogOf(draft.ledger, 'sums'));
      const last = visibleAt(log, -1);
      rewrite(draft, log, -1, (value) => Object.assign(value, { sum: (value.sum ?? 0) + 1 }));
      dumpOf(draft, 'sums', 'end').rows.set(last.key ?? '', last.value ?? '');
    },
  },
  {
    name: 'nobody has the store of a task in the end',
    check: 'V5',
    apply: (draft) => {
      draft.stores = draft.stores.filter(
        ({ store, taskId, moment }) => moment === 'kill' || store !== 'uids' || taskId !== '0_1',
      );
    },
  },
  {
    name: 'the stored offset is one too low',
    check: 'V10',
    apply: (draft) => {
      dumpOf(draft, 'sums', 'end').changelogOffset!--;
    },
  },
  {
    name: 'the stored offset is one too high',
    check: 'V10',
    apply: (draft) => {
      const dump = dumpOf(draft, 'sums', 'end');
      dump.changelogOffset = logOf(draft, changelogOf(draft.ledger, 'sums')).highWatermark + 1;
    },
  },
  {
    name: 'a killed worker had written what was never committed',
    check: 'V10',
    apply: (draft) => {
      dumpOf(draft, 'counts', 'kill').rows.set('p1k0', '{"n":99,"id":"1-99"}');
    },
  },
  {
    name: 'a killed worker names an offset ahead of its rows',
    check: 'V10',
    apply: (draft) => {
      const dump = dumpOf(draft, 'uids', 'kill');
      dump.changelogOffset = logOf(draft, changelogOf(draft.ledger, 'uids')).highWatermark;
    },
  },
];

const logs: Mutation[] = [
  {
    name: 'a transaction hangs',
    check: 'V1',
    apply: (draft) => {
      output(draft, 'sum').lastStableOffset--;
    },
  },
  {
    name: 'a member is still in the group',
    check: 'V1',
    apply: (draft) => {
      draft.groupMembers++;
    },
  },
  {
    name: 'an output partition is not there',
    check: 'V1',
    apply: (draft) => {
      draft.logs.delete(`${topicOf(draft.ledger, 'win')}-2`);
    },
  },
  {
    name: 'the last record of the input was not committed',
    check: 'V2',
    apply: (draft) => {
      const name = `${topicOf(draft.ledger, 'in')}-1`;
      draft.committedOffsets.set(name, (draft.committedOffsets.get(name) ?? 0) - 1);
    },
  },
  {
    name: 'a repartition topic was left half read',
    check: 'V2',
    apply: (draft) => {
      draft.committedOffsets.set(`${repartitionOf(draft.ledger)}-1`, 2);
    },
  },
  {
    name: 'an offset behind the end was committed',
    check: 'V2',
    apply: (draft) => {
      draft.committedOffsets.set(`${topicOf(draft.ledger, 'in')}-1`, 10_000);
    },
  },
  { name: 'a barrier has not come out', check: 'V2', apply: (draft) => drop(draft, output(draft, 'echo'), -1) },
  {
    name: 'a record is missing in the repartition topic',
    check: 'V7',
    apply: (draft) => drop(draft, logOf(draft, repartitionOf(draft.ledger)), 4),
  },
  {
    name: 'a record is in the repartition topic twice',
    check: 'V7',
    apply: (draft) => {
      const log = logOf(draft, repartitionOf(draft.ledger));
      repeat(draft, log, visibleAt(log, 4));
    },
  },
  {
    name: 'a repartition topic was purged before it was read',
    check: 'V7',
    apply: (draft) => {
      draft.purges.push({ topic: repartitionOf(draft.ledger), partition: 1, logStartOffset: 20, committedOffset: 19 });
    },
  },
  {
    name: 'an aborted record is visible',
    check: 'V8',
    apply: (draft) => {
      const log = output(draft, 'echo');
      const aborted = log.entries.find(({ kind, offset }) => kind === 'record' && !log.visible.has(offset));
      log.visible.add(aborted?.offset as number);
      resee(draft, log);
    },
  },
  {
    name: 'a committed record is hidden',
    check: 'V8',
    apply: (draft) => {
      const log = output(draft, 'echo');
      log.visible.delete(visibleAt(log, 3).offset);
      resee(draft, log);
    },
  },
  {
    name: 'a reader during the run saw a record that is gone',
    check: 'V8',
    apply: (draft) => {
      draft.live.get(`${topicOf(draft.ledger, 'sum')}-1`)?.splice(3, 0, { offset: 3, key: 'ghost', value: '{}' });
    },
  },
  {
    name: 'a record was written outside of a transaction',
    check: 'V8',
    apply: (draft) => {
      const entry = visibleAt(output(draft, 'sum'), 3);
      Object.assign(entry, { isTransactional: false });
    },
  },
  {
    name: 'an old epoch was opened again',
    check: 'V9',
    apply: (draft) => {
      Object.assign(visibleAt(output(draft, 'echo'), -2), { producerEpoch: 0 });
    },
  },
  {
    name: 'a fenced producer wrote behind the marker that fenced it',
    check: 'V9',
    apply: (draft) => {
      const log = output(draft, 'sum');
      const fence = log.entries.find(({ kind }) => kind === 'abort') as DraftEntry;
      const next = log.entries.find(({ kind, offset }) => kind === 'record' && offset > fence.offset) as DraftEntry;
      Object.assign(next, { producerId: fence.producerId, producerEpoch: 0 });
    },
  },
  {
    name: 'two owners write to a changelog at a time',
    check: 'V9',
    apply: (draft) => {
      const log = logOf(draft, changelogOf(draft.ledger, 'sums'));
      const intruder = Object.assign(visibleAt(log, 2), { producerId: 4711 });
      log.entries.push({ ...intruder, offset: log.highWatermark++, kind: 'commit' });
      log.lastStableOffset = log.highWatermark;
    },
  },
];

const processes: Mutation[] = [
  {
    name: 'it took too long to catch up',
    check: 'V11',
    apply: (draft) => {
      draft.recovery.drainedAfterMs = 60_000;
    },
  },
  {
    name: 'the group did not come to rest',
    check: 'V11',
    apply: (draft) => {
      draft.recovery.rebalancesAfter = 9;
    },
  },
  {
    name: 'nobody has a task',
    check: 'V11',
    apply: (draft) => {
      draft.recovery.unassignedTasks.push('0_2');
    },
  },
  {
    name: 'a handle was left open',
    check: 'V12',
    apply: (draft) => {
      survivor(draft).leftOpen.push('TCPSocketWrap');
    },
  },
  {
    name: 'a process did not end by itself',
    check: 'V12',
    apply: (draft) => {
      survivor(draft).lingeredMs = 30_000;
    },
  },
  {
    name: 'a clean stop ended with an error',
    check: 'V12',
    apply: (draft) => {
      survivor(draft).exitCode = 1;
    },
  },
  {
    name: 'a rejection was not handled',
    check: 'V12',
    apply: (draft) => {
      survivor(draft).unhandled.push('Error: oops');
    },
  },
  {
    name: 'memory grows',
    check: 'V12',
    apply: (draft) => {
      for (const sample of survivor(draft).samples) sample.rssBytes += (sample.atMs / 60_000) * 2 * 1024 * 1024;
    },
  },
  {
    name: 'file descriptors grow',
    check: 'V12',
    apply: (draft) => {
      for (const sample of survivor(draft).samples) sample.fileDescriptors += sample.atMs / 10_000;
    },
  },
  { name: 'a record was skipped in silence', check: 'V13', apply: skipSilently },
  {
    name: 'a record was announced as skipped and came out',
    check: 'V13',
    apply: (draft) => {
      draft.skips.push({ partition: 1, offset: 4, by: 'log' });
    },
  },
  {
    name: 'the metric counts fewer omissions than were announced',
    check: 'V13',
    apply: (draft) => {
      draft.skips.push({ partition: 1, offset: 4, by: 'log' });
      draft.workers = [survivor(draft)];
    },
  },
];

/** One of each kind of defect. */
export const MUTATIONS: readonly Mutation[] = [...perOutput, ...contents, ...stores, ...answers, ...logs, ...processes];
