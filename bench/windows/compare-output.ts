import type { Expected, Figures } from './expected.ts';

/** Figures whose last digits depend on how they are computed; all others have to be equal. */
const ROUNDED: ReadonlySet<string> = new Set(['mean', 'm2']);
const RELATIVE_ERROR_MAX = 1e-6;

/** How an output topic compares with what it must say; every count but the first has to be 0. */
export interface Comparison {
  readonly windows: number;
  readonly windowsDifferent: number;
  readonly windowsMissing: number;
  /** Keys with a value that nothing explains. */
  readonly windowsUnexpected: number;
  /** Keys whose last record should be a tombstone, and is not. */
  readonly windowsNotDeleted: number;
}

/** @param last the last value of every key of the output; `undefined` for a tombstone */
export function compareOutput(last: ReadonlyMap<string, string | undefined>, expected: Expected): Comparison {
  const values = expected.values();
  const count = { windows: values.size, windowsDifferent: 0, windowsMissing: 0, windowsUnexpected: 0, windowsNotDeleted: 0 };
  for (const [key, figures] of values) {
    const text = last.get(key);
    if (text === undefined) count.windowsMissing++;
    else if (!isSame(JSON.parse(text) as Figures, figures)) count.windowsDifferent++;
  }
  for (const [key, text] of last) {
    if (values.has(key)) continue;
    if (!expected.deleted.has(key)) count.windowsUnexpected++;
    else if (text !== undefined) count.windowsNotDeleted++;
  }
  return count;
}

export function isRight({ windows, ...wrong }: Comparison): boolean {
  return windows > 0 && Object.values(wrong).every((count) => count === 0);
}

function isSame(actual: Figures, expected: Figures): boolean {
  const names = Object.keys(expected);
  return (
    names.length === Object.keys(actual).length &&
    names.every((name) => (ROUNDED.has(name) ? isNear(actual[name], expected[name]) : actual[name] === expected[name]))
  );
}

function isNear(actual = Number.NaN, expected = Number.NaN): boolean {
  return Math.abs(actual - expected) <= RELATIVE_ERROR_MAX * Math.max(1, Math.abs(expected));
}
