import { assert } from '@millrace/core';
import type { ProtocolReader } from '../primitives/protocol-reader.ts';
import type { ProtocolWriter } from '../primitives/protocol-writer.ts';
import { nullRefused, type Codec } from './codec.ts';
import type { ScalarKind } from './field.ts';

type FixedKind = Exclude<ScalarKind, 'string' | 'bytes'>;

const FIXED_BYTES: Readonly<Record<FixedKind, number>> = {
  boolean: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  uuid: 16,
};

/** A codec for a value that contains no other values. */
export function compileScalar(kind: ScalarKind, flexible: boolean, nullable: boolean): Codec {
  if (kind === 'string') return stringCodec(flexible, nullable);
  if (kind === 'bytes') return bytesCodec(flexible, nullable);
  return {
    bytesMin: FIXED_BYTES[kind],
    read: (reader) => reader[kind](),
    write: (writer, value) => (writer[kind] as (value: unknown) => void).call(writer, value),
  };
}

function stringCodec(flexible: boolean, nullable: boolean): Codec {
  return {
    bytesMin: flexible ? 1 : 2,
    read(reader: ProtocolReader) {
      const length = reader.stringLength(flexible);
      if (length >= 0) return reader.utf8(length);
      return nullable ? undefined : nullRefused('string', reader);
    },
    write(writer: ProtocolWriter, value: unknown) {
      assert(value != null || nullable, 'a string that must not be null is missing in a message');
      writer.string(value as string | undefined, flexible);
    },
  };
}

function bytesCodec(flexible: boolean, nullable: boolean): Codec {
  return {
    bytesMin: flexible ? 1 : 4,
    read(reader: ProtocolReader) {
      const length = reader.bytesLength(flexible);
      if (length >= 0) return reader.bytes(length);
      return nullable ? undefined : nullRefused('byte string', reader);
    },
    write(writer: ProtocolWriter, value: unknown) {
      assert(value != null || nullable, 'bytes that must not be null are missing in a message');
      writer.bytes(value as Uint8Array | undefined, flexible);
    },
  };
}
