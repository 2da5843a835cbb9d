import type { OutputJson, StoreContentJson, StoreEntryJson, Vector } from './vector.ts';

/** What a run of a vector gave, in the vector's own terms. */
export interface Observed {
  readonly describe: string;
  readonly outputs: Readonly<Record<string, readonly OutputJson[]>>;
  readonly stores: Readonly<Record<string, StoreContentJson>>;
  readonly droppedRecords: number;
}

/** The first difference between what the vector says and what was observed, as a text to read; `undefined` if none. */
export function firstDifference(vector: Vector, observed: Observed): string | undefined {
  return (
    describeDifference(vector.describe, observed.describe) ??
    outputsDifference(vector, observed) ??
    storesDifference(vector, observed) ??
    droppedDifference(vector, observed)
  );
}

/** Structural equality; `-0` equals `0`. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && sameJson((a as never)[key], (b as never)[key]));
}

function describeDifference(expected: string | undefined, actual: string): string | undefined {
  if (expected === undefined) return undefined;
  const expectedLines = expected.split('\n');
  const actualLines = actual.split('\n');
  for (let i = 0; i < Math.max(expectedLines.length, actualLines.length); i++) {
    const [wanted, got] = [expectedLines[i], actualLines[i]];
    if (wanted === undefined || got === undefined || sortLists(wanted) !== sortLists(got)) {
      return `describe, line ${i + 1}:\n    expected ${show(wanted)}\n    actual   ${show(got)}`;
    }
  }
  return undefined;
}

/** Lists in parentheses are printed in the order of Java's hash sets: only their members count. */
function sortLists(line: string): string {
  return line.replaceAll(/\((topics|stores): \[([^\]]*)\]\)/g, (_all, kind: string, list: string) => {
    return `(${kind}: [${list.split(', ').toSorted().join(', ')}])`;
  });
}

function outputsDifference(vector: Vector, observed: Observed): string | undefined {
  const expected = vector.outputs ?? {};
  for (const topic of new Set([...Object.keys(expected), ...Object.keys(observed.outputs)])) {
    const wanted = expected[topic] ?? [];
    const got = observed.outputs[topic] ?? [];
    for (let i = 0; i < Math.max(wanted.length, got.length); i++) {
      if (!sameJson(wanted[i], got[i])) {
        return `topic ${topic}, record ${i}:\n    expected ${show(wanted[i])}\n    actual   ${show(got[i])}`;
      }
    }
  }
  return undefined;
}

function storesDifference(vector: Vector, observed: Observed): string | undefined {
  for (const [name, wanted] of Object.entries(vector.stores ?? {})) {
    const got = observed.stores[name];
    if (got === undefined) return `store ${name}: missing`;
    if (got.kind !== wanted.kind) return `store ${name}: expected kind ${wanted.kind}, actual ${got.kind}`;
    const entries = keepsExpiredRows(wanted.kind) ? got.entries.filter((entry) => isListed(entry, wanted.entries)) : got.entries;
    for (let i = 0; i < Math.max(wanted.entries.length, entries.length); i++) {
      if (!sameJson(wanted.entries[i], entries[i])) {
        return `store ${name}, entry ${i}:\n    expected ${show(wanted.entries[i])}\n    actual   ${show(entries[i])}`;
      }
    }
  }
  return undefined;
}

/** The README lets windowed stores keep rows longer than their retention. */
function keepsExpiredRows(kind: string): boolean {
  return kind === 'window' || kind === 'timestampedWindow' || kind === 'session';
}

function isListed(entry: StoreEntryJson, listed: readonly StoreEntryJson[]): boolean {
  return listed.some((one) => sameJson(one.key, entry.key));
}

function droppedDifference(vector: Vector, observed: Observed): string | undefined {
  const wanted = vector.droppedRecords ?? 0;
  if (vector.ignoreDropped === true || wanted === observed.droppedRecords) return undefined;
  return `dropped records: expected ${wanted}, actual ${observed.droppedRecords}`;
}

function show(value: unknown): string {
  return value === undefined ? '(nothing)' : typeof value === 'string' ? value : JSON.stringify(value);
}
