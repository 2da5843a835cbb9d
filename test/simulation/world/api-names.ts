import * as wire from '@millrace/wire';

/** What requests are called, by their numbers. */
export const API_NAMES: ReadonlyMap<number, string> = new Map(
  Object.values(wire)
    .filter((one) => typeof one === 'object' && 'key' in one && 'name' in one)
    .map(({ key, name }) => [key, name]),
);
