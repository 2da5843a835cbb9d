import { CommitHistory } from '../evidence/commit-history.ts';
import type { Evidence, Finding, PartitionLog, StoreDump } from '../evidence/evidence.ts';
import { partitionName } from '../evidence/log-view.ts';
import { changelogOf } from '../ledger/ledger.ts';
import { isLedgerStore } from './state.ts';

/** True for what a query said; the rest are copies of what lay on a disk. */
export function isAnswer({ moment }: StoreDump): boolean {
  return moment === 'query' || moment === 'last-query';
}

/**
 * The part of V10 about queries: under exactly once the rows of each answer are the fold of the committed changelog up to some commit,
 * or nothing. Nothing uncommitted or aborted, no half of a commit, no row missing that was there with the others. At least once a
 * changelog has no commits that an answer could be compared with.
 */
export function storeAnswers(evidence: Evidence): Finding[] {
  if (evidence.ledger.guarantee !== 'exactly_once_v2') return [];
  return [...answersByChangelog(evidence)].flatMap(([changelog, answers]) => {
    const log = evidence.logs.get(changelog);
    if (log !== undefined && !isWhole(log)) return [];
    const history = log === undefined ? undefined : new CommitHistory(log);
    return answers.flatMap(({ taskId, store, worker, moment, rows }) => {
      const message = history === undefined ? 'has no changelog' : history.defectOf(rows);
      const where = `${store} of task ${taskId}, as ${worker} answers (${moment})`;
      return message === undefined ? [] : [{ check: 'V10' as const, where, message }];
    });
  });
}

function answersByChangelog({ stores, ledger }: Evidence): Map<string, StoreDump[]> {
  const groups = new Map<string, StoreDump[]>();
  for (const dump of stores) {
    if (!isAnswer(dump) || !isLedgerStore(dump.store)) continue;
    const partition = Number(dump.taskId.split('_')[1]);
    const changelog = partitionName({ topic: changelogOf(ledger, dump.store), partition });
    const group = groups.get(changelog) ?? [];
    groups.set(changelog, group);
    group.push(dump);
  }
  return groups;
}

/** Of a changelog that was cut or compacted it is not known any more what it said after each commit. */
function isWhole({ logStartOffset, highWatermark, entries }: PartitionLog): boolean {
  return logStartOffset === 0 && entries.length === highWatermark;
}
