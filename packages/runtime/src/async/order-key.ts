/**
 * What stands for a key in a `Map`: equal for equal keys, also when these are objects or bytes, which every record brings anew.
 *
 * Two keys may share one (objects whose fields JSON does not show): their records then wait for each other, nothing worse.
 *
 * @returns `undefined` for an absent key, whose records have no order
 */
export function orderKey(key: unknown): unknown {
  if (key == null) return undefined;
  if (typeof key !== 'object') return key;
  if (key instanceof Uint8Array) return `bytes ${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')}`;
  try {
    return `json ${JSON.stringify(key, describeBigint)}`;
  } catch {
    return 'cannot be told apart';
  }
}

function describeBigint(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
