import { changelogOf, type LedgerStore, STORES } from '../ledger/ledger.ts';
import { expectedRows } from '../ledger/ledger-model.ts';
import type { Evidence, Finding, StoreDump } from '../evidence/evidence.ts';
import { committedOf, latestPerKey } from '../evidence/log-view.ts';

/** V5: the fold of the input, the last value per key of the changelog, the store of the last owner and its last answer say the same. */
export function state(evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  for (const store of Object.keys(STORES) as LedgerStore[]) {
    const changelog = committedOf(evidence, changelogOf(evidence.ledger, store));
    for (const [partition, records] of changelog.entries()) {
      const taskId = `${STORES[store]}_${partition}`;
      const where = `${store} of task ${taskId}`;
      const logged = latestPerKey(records);
      // At least once a record may have been counted twice; changelog and store still have to agree.
      const isExact = evidence.ledger.guarantee === 'exactly_once_v2' || store === 'rates';
      if (isExact) findings.push(...compareRows(where, 'the input', expectedRows(evidence, store, partition), logged));
      findings.push(...compareDump(where, logged, ownersDump(evidence, taskId, store)));
      findings.push(...compareAnswers(where, logged, ownersAnswers(evidence, taskId, store), evidence.askedTasks.has(taskId)));
    }
  }
  return findings;
}

function ownersDump(evidence: Evidence, taskId: string, store: string): StoreDump | undefined {
  return evidence.stores
    .filter((dump) => dump.isOwner && dump.moment === 'end' && dump.taskId === taskId && dump.store === store)
    .toSorted((one, other) => (other.changelogOffset ?? -1) - (one.changelogOffset ?? -1))[0];
}

function compareDump(where: string, logged: ReadonlyMap<string, string>, dump: StoreDump | undefined): Finding[] {
  if (dump === undefined) return [{ check: 'V5', where, message: 'nobody has the store in the end' }];
  return compareRows(where, 'the changelog', logged, dump.rows);
}

function ownersAnswers({ stores }: Evidence, taskId: string, store: string): StoreDump[] {
  return stores.filter((dump) => dump.isOwner && dump.moment === 'last-query' && dump.taskId === taskId && dump.store === store);
}

/** Of several who take themselves for the owner one has to say it: the others need not know yet that they are not. */
function compareAnswers(
  where: string,
  logged: ReadonlyMap<string, string>,
  answers: readonly StoreDump[],
  wasAsked: boolean,
): Finding[] {
  const [first] = answers;
  if (first === undefined) {
    return wasAsked ? [{ check: 'V5', where, message: 'its owner was asked in the end, and did not answer' }] : [];
  }
  if (answers.some(({ rows }) => firstDifference(logged, rows) === undefined)) return [];
  return compareRows(`${where}, as ${first.worker} answers`, 'the changelog', logged, first.rows);
}

/** Names the first row that differs. */
export function firstDifference(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string | undefined {
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    if (wanted.get(key) === found.get(key)) continue;
    return `row ${key} is ${found.get(key) ?? 'absent'}, expected ${wanted.get(key) ?? 'no such row'}`;
  }
  return undefined;
}

function compareRows(
  where: string,
  truth: string,
  wanted: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): Finding[] {
  const difference = firstDifference(wanted, found);
  return difference === undefined ? [] : [{ check: 'V5', where, message: `differs from ${truth}: ${difference}` }];
}

/** Of which store of the ledger a dump is; the others have layouts of their own. */
export function isLedgerStore(name: string): name is LedgerStore {
  return Object.hasOwn(STORES, name);
}
