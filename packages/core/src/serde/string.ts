import type { ByteBuffer } from '../byte-buffer.ts';
import { utf8Slice } from '../native-buffer.ts';
import type { Serde } from './serde.ts';

const STRING: Serde<string> = {
  name: 'string',
  immutable: true,
  primitive: true,
  serialize: (value) => Buffer.from(checked(value), 'utf8'),
  deserialize: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  write: (value, target: ByteBuffer) => target.writeUtf8(checked(value)),
  read: utf8Slice,
};

function checked(value: string): string {
  if (typeof value !== 'string')
    throw new TypeError(`string serde: expected a string, got ${typeof value}; give the topic or operator the serde of its type`);
  return value;
}

/**
 * UTF-8 text, byte for byte what Java's `Serdes.String()` writes.
 *
 * @example topic('orders', { key: string(), value: json<Order>() })
 */
export function string(): Serde<string> {
  return STRING;
}
