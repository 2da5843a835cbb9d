import type { ByteBuffer } from '../byte-buffer.ts';
import type { Serde } from './serde.ts';

const BYTES: Serde<Uint8Array> = {
  name: 'bytes',
  serialize: (value) => value,
  // A copy, because the network buffer behind the view is large and would live as long as the value does.
  deserialize: (bytes) => Buffer.from(bytes),
  write: (value, target: ByteBuffer) => target.writeBytes(value),
  read: (source, start, end) => {
    const copy = Buffer.allocUnsafe(end - start);
    source.copy(copy, 0, start, end);
    return copy;
  },
};

/** Raw bytes, as Java's `Serdes.ByteArray()`. */
export function bytes(): Serde<Uint8Array> {
  return BYTES;
}
