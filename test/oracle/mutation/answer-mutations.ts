import type { LogEntry, StoreDump } from '../evidence/evidence.ts';
import { latestPerKey, verdicts } from '../evidence/log-view.ts';
import { changelogOf } from '../ledger/ledger.ts';
import { type Draft, dumpOf, logOf, type Mutation } from './draft.ts';

/** The transactions of a changelog that were committed, in order, and one that was aborted. */
interface Transactions {
  readonly committed: readonly (readonly LogEntry[])[];
  /** Records of it are not among those that were committed before. */
  readonly aborted: readonly LogEntry[];
  /** How many were committed before the aborted one. */
  readonly beforeAborted: number;
}

/** Of the sums of partition 1. */
function sums(draft: Draft): Transactions {
  const log = logOf(draft, changelogOf(draft.ledger, 'sums'));
  const outcomes = verdicts(log);
  const committed: LogEntry[][] = [];
  let [aborted, beforeAborted, pending]: [LogEntry[], number, LogEntry[]] = [[], 0, []];
  for (const entry of log.entries) {
    if (entry.kind === 'commit' && pending.length > 0) committed.push(pending.splice(0));
    else if (entry.kind === 'abort') pending = [];
    else if (outcomes.get(entry.offset) === 'aborted') {
      if (aborted.length === 0) beforeAborted = committed.length;
      aborted = [...aborted, entry];
    } else if (entry.kind === 'record') pending.push(entry);
  }
  return { committed, aborted, beforeAborted };
}

/** Adds the answer to a query for the sums of partition 1. */
function answer(draft: Draft, records: readonly LogEntry[]): StoreDump['rows'] {
  const rows = latestPerKey(records);
  draft.stores.push({ ...dumpOf(draft, 'sums', 'last-query'), moment: 'query', isOwner: false, rows });
  return rows;
}

/** The last transaction that changed several rows, all of them to what they had not been, and what was committed before. */
function lastOfSeveral(draft: Draft): { readonly before: LogEntry[]; readonly records: readonly LogEntry[] } {
  const { committed } = sums(draft);
  const number = committed.findLastIndex((records) => latestPerKey(records).size > 1);
  return { before: committed.slice(0, number).flat(), records: committed[number] as readonly LogEntry[] };
}

/** Defects in what queries answer. */
export const answers: readonly Mutation[] = [
  {
    name: 'a query shows a row that was not committed',
    check: 'V10',
    apply: (draft) => {
      const { rows } = dumpOf(draft, 'sums', 'last-query');
      rows.set([...rows.keys()][0] as string, '{"n":9999,"sum":9999,"id":"1-9999"}');
    },
  },
  {
    name: 'a query shows half a commit',
    check: 'V10',
    apply: (draft) => {
      const { before, records } = lastOfSeveral(draft);
      const { key } = records.at(-1) as LogEntry;
      answer(draft, [...before, ...records.filter((record) => record.key !== key)]);
    },
  },
  {
    name: 'a query shows an aborted record',
    check: 'V10',
    apply: (draft) => {
      const { committed, aborted, beforeAborted } = sums(draft);
      answer(draft, [...committed.slice(0, beforeAborted).flat(), ...aborted]);
    },
  },
  {
    name: 'a query misses a row that was there at every commit that the others are of',
    check: 'V10',
    apply: (draft) => {
      const rows = answer(draft, sums(draft).committed.flat()) as Map<string, string>;
      rows.delete([...rows.keys()][0] as string);
    },
  },
  {
    name: 'the last answer is behind',
    check: 'V5',
    apply: (draft) => {
      const { committed } = sums(draft);
      dumpOf(draft, 'sums', 'last-query').rows = latestPerKey(committed.slice(0, -1).flat());
    },
  },
  {
    name: 'the owner of a task did not answer in the end',
    check: 'V5',
    apply: (draft) => {
      draft.stores = draft.stores.filter(
        ({ store, taskId, moment }) => moment !== 'last-query' || store !== 'uids' || taskId !== '0_1',
      );
    },
  },
];
