import type { StepJson, Vector } from '../vector.ts';

/** What a step's id stands for, as far as it decides which operator the next step is. */
type StepKind = 'stream' | 'table' | 'other';

/**
 * The operators of a vector that Millrace does not have yet, by the names under which skipped vectors are counted. Decided
 * by the steps alone: a vector without any of them must run.
 */
export function operatorsOfTheNextIssue(vector: Vector): string[] {
  const missing = new Set<string>();
  const kinds = new Map<string, StepKind>();
  for (const step of vector.topology) {
    const from = kinds.get(step.from ?? '') ?? 'other';
    const other = kinds.get(step.with ?? '') ?? 'other';
    for (const operator of missingIn(step, from, other)) missing.add(operator);
    if (step.id !== undefined) kinds.set(step.id, kindOf(step, from));
    for (const branch of [...(step.branches ?? []), ...(step.default === undefined ? [] : [step.default])]) {
      kinds.set(branch.id, 'stream');
    }
  }
  return [...missing];
}

function* missingIn(step: StepJson, from: StepKind, other: StepKind): Generator<string> {
  if (typeof step.store !== 'object') return;
  if (step.store.retainDuplicates === true) yield 'window store that retains duplicates';
}

function isJoin(step: StepJson): boolean {
  return step.op === 'join' || step.op === 'leftJoin' || step.op === 'outerJoin';
}

function kindOf(step: StepJson, from: StepKind): StepKind {
  if (['table', 'toTable', 'count', 'reduce', 'aggregate', 'suppress', 'transformValues'].includes(step.op)) return 'table';
  if (['groupByKey', 'groupBy', 'windowedBy', 'cogroup', 'globalTable', 'addStore', 'addGlobalStore'].includes(step.op))
    return 'other';
  if (['filter', 'filterNot', 'mapValues'].includes(step.op) || isJoin(step)) return from;
  return 'stream';
}
