import { ByteBuffer } from '@millrace/core';

const scratch = new ByteBuffer(256);

/** What a writer writes, as bytes of their own. */
export function toBytes<T>(value: T, write: (value: T, target: ByteBuffer) => void): Buffer {
  scratch.clear();
  write(value, scratch);
  return Buffer.from(scratch.view());
}
