import { ByteBuffer, latin1Slice } from '@millrace/core';
import type { KeyCodec, KeyIdentity } from '../../overlay/key-codec.ts';

/** Something of a key that is about to be emitted. */
interface Keyed {
  readonly identity: KeyIdentity;
}

/** Sorts by the bytes of the keys, after `compare`. */
export function sortByKeyBytes<K, T extends Keyed>(
  items: readonly T[],
  keys: KeyCodec<K>,
  compare: (a: T, b: T) => number = () => 0,
): readonly T[] {
  if (items.length < 2) return items;
  const scratch = new ByteBuffer(256);
  const texts = items.map((item) => {
    scratch.clear();
    keys.write(item.identity, scratch);
    return { item, text: latin1Slice(scratch.bytes, 0, scratch.length) };
  });
  texts.sort((a, b) => compare(a.item, b.item) || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  return texts.map(({ item }) => item);
}
