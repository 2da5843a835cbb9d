import { assert } from '@millrace/core';

/** A range of versions as the Kafka protocol writes it: `'4'`, `'3-5'`, `'6+'`, or `'none'`. */
export type VersionRange = `${number}` | `${number}-${number}` | `${number}+` | 'none';

/** True when `version` lies in `range`. */
export function inRange(range: VersionRange, version: number): boolean {
  return version >= firstVersion(range) && version <= lastVersion(range);
}

/** The lowest version of the range; infinity for `'none'`. */
export function firstVersion(range: VersionRange): number {
  return range === 'none' ? Number.POSITIVE_INFINITY : Number.parseInt(range, 10);
}

/** The highest version of the range; infinity for an open one, minus infinity for `'none'`. */
export function lastVersion(range: VersionRange): number {
  if (range === 'none') return Number.NEGATIVE_INFINITY;
  if (range.endsWith('+')) return Number.POSITIVE_INFINITY;
  const last = Number(range.slice(range.indexOf('-') + 1));
  assert(Number.isInteger(last), `"${range}" is not a version range`);
  return last;
}
