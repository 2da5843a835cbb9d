import { abortedData } from './checks/aborted-data.ts';
import { bijection } from './checks/bijection.ts';
import { conservation } from './checks/conservation.ts';
import { drained } from './checks/drained.ts';
import { fencing } from './checks/fencing.ts';
import { folds } from './checks/folds.ts';
import { honesty } from './checks/honesty.ts';
import { hygiene } from './checks/hygiene.ts';
import { liveness } from './checks/liveness.ts';
import { quiesced } from './checks/quiesced.ts';
import { state } from './checks/state.ts';
import { storeOffsets } from './checks/store-offsets.ts';
import { uniqueIds } from './checks/unique-ids.ts';
import type { Check, CheckId, Evidence, Finding } from './evidence/evidence.ts';

/** All checks, by the defect that each looks for. */
export const CHECKS: Readonly<Record<CheckId, Check>> = {
  V1: quiesced,
  V2: drained,
  V3: bijection,
  V4: folds,
  V5: state,
  V6: uniqueIds,
  V7: conservation,
  V8: abortedData,
  V9: fencing,
  V10: storeOffsets,
  V11: liveness,
  V12: hygiene,
  V13: honesty,
};

/** Everything that is wrong with a run; nothing is left out because something else is wrong too. */
export function judge(evidence: Evidence): Finding[] {
  return Object.values(CHECKS).flatMap((check) => check(evidence));
}

/** Findings as text, the first few of each check. */
export function describeFindings(findings: readonly Finding[], perCheck = 5): string {
  const lines: string[] = [];
  for (const id of Object.keys(CHECKS)) {
    const own = findings.filter(({ check }) => check === id);
    lines.push(...own.slice(0, perCheck).map(({ where, message }) => `${id} ${where}: ${message}`));
    if (own.length > perCheck) lines.push(`${id} … and ${own.length - perCheck} more`);
  }
  return lines.join('\n');
}
