import { changelogOf } from '../ledger/ledger.ts';
import type { Evidence, Finding, PartitionLog, StoreDump } from '../evidence/evidence.ts';
import { committedRecords, latestPerKey, partitionName, verdicts } from '../evidence/log-view.ts';
import { firstDifference, isLedgerStore } from './state.ts';
import { isAnswer, storeAnswers } from './store-answers.ts';

/**
 * V10: every copy of a store, also one that was made at the moment of a kill, holds exactly the committed changelog up to the
 * offset that it names. Nothing uncommitted, nothing from behind it, nothing too little. And every answer to a query is the committed
 * changelog up to some commit.
 */
export function storeOffsets(evidence: Evidence): Finding[] {
  return [...storeCopies(evidence), ...storeAnswers(evidence)];
}

function storeCopies(evidence: Evidence): Finding[] {
  return evidence.stores.flatMap((dump) => {
    if (isAnswer(dump) || !isLedgerStore(dump.store)) return [];
    const partition = Number(dump.taskId.split('_')[1]);
    const log = evidence.logs.get(partitionName({ topic: changelogOf(evidence.ledger, dump.store), partition }));
    const where = `${dump.store} of task ${dump.taskId} of ${dump.worker} (${dump.moment})`;
    const message = log === undefined ? 'has no changelog' : defectOf(dump, log);
    return message === undefined ? [] : [{ check: 'V10' as const, where, message }];
  });
}

function defectOf({ changelogOffset, rows }: StoreDump, log: PartitionLog): string | undefined {
  if (changelogOffset === undefined) return rows.size === 0 ? undefined : `has ${rows.size} rows, but no changelog offset`;
  if (changelogOffset > log.highWatermark)
    return `stands at changelog offset ${changelogOffset}, but the changelog ends at ${log.highWatermark}`;
  const last = log.entries.findLast(({ offset }) => offset < changelogOffset);
  const verdict = last?.kind === 'record' ? verdicts(log).get(last.offset) : 'committed';
  if (verdict === 'open') return `stands behind offset ${last?.offset}, whose transaction is open`;
  // A changelog that has lost its beginning cannot be folded; what it still has was compared with the store by V5.
  if (log.logStartOffset > 0) return undefined;
  const prefix = committedRecords(log).filter(({ offset }) => offset < changelogOffset);
  const difference = firstDifference(latestPerKey(prefix), rows);
  return difference === undefined ? undefined : `is not the changelog up to offset ${changelogOffset}: ${difference}`;
}
