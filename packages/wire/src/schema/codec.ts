import { CorruptDataError } from '@millrace/core';
import type { ProtocolReader } from '../primitives/protocol-reader.ts';
import type { ProtocolWriter } from '../primitives/protocol-writer.ts';

/** Reads and writes one type in one version. */
export interface Codec {
  /** No value takes fewer bytes: bounds what a claimed array length can cost. */
  readonly bytesMin: number;
  read(reader: ProtocolReader): unknown;
  write(writer: ProtocolWriter, value: unknown): void;
}

export function nullRefused(what: string, reader: ProtocolReader): never {
  throw new CorruptDataError(
    'UNEXPECTED_NULL',
    `null ${what} in front of byte ${reader.position}, where the format does not allow it`,
  );
}
