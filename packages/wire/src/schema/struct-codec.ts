import { assert, CorruptDataError, FatalStreamsError } from '@millrace/core';
import type { ProtocolReader } from '../primitives/protocol-reader.ts';
import type { ProtocolWriter } from '../primitives/protocol-writer.ts';
import { nullRefused, type Codec } from './codec.ts';
import type { Field, Fields } from './field.ts';
import { defaultOf, isDefault, zeroOf } from './field-default.ts';
import { compileScalar } from './scalar-codec.ts';
import { inRange } from './version-range.ts';

/** What a struct is compiled for. */
export interface CompileTarget {
  readonly version: number;
  readonly flexible: boolean;
  /** True: a value for a field that the version does not have is an error, because it would be lost on the way. */
  readonly strict: boolean;
}

interface NamedCodec {
  readonly name: string;
  readonly codec: Codec;
  readonly field: Field;
}

interface PositionedCodec extends NamedCodec {
  /** Written when no value is given; `undefined` means null, or, where that is not possible, that a value is required. */
  readonly fallback: unknown;
  readonly required: boolean;
}

interface TaggedCodec extends NamedCodec {
  readonly tag: number;
}

type Values = Record<string, unknown>;

/** Compiles a struct into a codec: the fields of the version in order, then the tag section where there is one. */
export function compileStruct(fields: Fields, target: CompileTarget): Codec {
  const present: PositionedCodec[] = [];
  const tagged: TaggedCodec[] = [];
  const absent: [string, Field][] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (!inRange(field.options.versions ?? '0+', target.version) || (field.options.tag !== undefined && !target.flexible))
      absent.push([name, field]);
    else if (field.options.tag !== undefined)
      tagged.push({ name, field, tag: field.options.tag, codec: compileField(field, target) });
    else present.push(positioned(name, field, target));
  }
  tagged.sort((a, b) => a.tag - b.tag);
  const unsupported = target.strict ? absent.filter(([, field]) => field.options.ignorable !== true) : [];
  const bytesMin = present.reduce((sum, { codec }) => sum + codec.bytesMin, target.flexible ? 1 : 0);

  return {
    bytesMin,
    read(reader) {
      const values: Values = {};
      for (const { name, codec } of present) values[name] = codec.read(reader);
      for (const { name, field } of tagged) values[name] = defaultOf(field);
      for (const [name, field] of absent) values[name] = defaultOf(field);
      if (target.flexible) readTags(reader, tagged, values);
      return values;
    },
    write(writer, value) {
      const values = value as Values;
      for (const [name, field] of unsupported) refuse(name, field, values[name], target.version);
      for (const { name, codec, required, fallback } of present) {
        const given = values[name];
        assert(given != null || !required, `field ${name} of a message was not given`);
        codec.write(writer, given ?? fallback);
      }
      if (target.flexible) writeTags(writer, tagged, values);
    },
  };
}

function positioned(name: string, field: Field, target: CompileTarget): PositionedCodec {
  const { options } = field;
  const nullableNow = inRange(options.nullable ?? 'none', target.version);
  return {
    name,
    field,
    codec: compileField(field, target),
    required: options.default === undefined && options.nullable === undefined,
    // Null in a version that does not have it yet becomes what older versions say instead: an empty text or list.
    fallback: options.default ?? (options.nullable === undefined || nullableNow ? undefined : zeroOf(field.type)),
  };
}

function compileField(field: Field, target: CompileTarget): Codec {
  const nullable = inRange(field.options.nullable ?? 'none', target.version);
  switch (field.type.kind) {
    case 'array':
      return compileArray(compileField(field.type.element, target), target.flexible, nullable);
    case 'struct': {
      const codec = compileStruct(field.type.fields, target);
      return nullable ? nullableStruct(codec) : codec;
    }
    default:
      return compileScalar(field.type.kind, target.flexible, nullable);
  }
}

function compileArray(element: Codec, flexible: boolean, nullable: boolean): Codec {
  const elementBytesMin = Math.max(1, element.bytesMin);
  return {
    bytesMin: flexible ? 1 : 4,
    read(reader) {
      const length = reader.arrayLength(flexible, elementBytesMin);
      if (length === -1) return nullable ? undefined : nullRefused('array', reader);
      const elements: unknown[] = [];
      for (let i = 0; i < length; i++) elements.push(element.read(reader));
      return elements;
    },
    write(writer, value) {
      if (value == null) {
        assert(nullable, 'an array that must not be null is missing in a message');
        writer.arrayLength(-1, flexible);
        return;
      }
      const elements = value as readonly unknown[];
      writer.arrayLength(elements.length, flexible);
      for (const item of elements) element.write(writer, item);
    },
  };
}

/** A struct that may be null is preceded by a byte: −1 null, 1 present. */
function nullableStruct(codec: Codec): Codec {
  return {
    bytesMin: 1,
    read: (reader) => (reader.int8() < 0 ? undefined : codec.read(reader)),
    write(writer, value) {
      writer.int8(value == null ? -1 : 1);
      if (value != null) codec.write(writer, value);
    },
  };
}

function readTags(reader: ProtocolReader, tagged: readonly TaggedCodec[], values: Values): void {
  const count = reader.uvarint();
  for (let i = 0; i < count; i++) {
    const tag = reader.uvarint();
    const size = reader.uvarint();
    const known = tagged.find((candidate) => candidate.tag === tag);
    const end = reader.skip(size) + size;
    // Tags that this schema does not know come from newer versions and mean nothing here.
    if (known !== undefined) values[known.name] = readTag(reader, known, end - size, end);
  }
}

function readTag(reader: ProtocolReader, tagged: TaggedCodec, start: number, end: number): unknown {
  const outerEnd = reader.end;
  reader.position = start;
  reader.end = end;
  const value = tagged.codec.read(reader);
  if (reader.position !== end)
    throw new CorruptDataError('CORRUPT_TAG', `tagged field ${tagged.name} does not fill its ${end - start} bytes`);
  reader.end = outerEnd;
  return value;
}

function writeTags(writer: ProtocolWriter, tagged: readonly TaggedCodec[], values: Values): void {
  let count = 0;
  for (const { name, field } of tagged) if (!isDefault(field, values[name])) count++;
  writer.uvarint(count);
  if (count === 0) return;
  for (const { name, field, tag, codec } of tagged) {
    if (isDefault(field, values[name])) continue;
    writer.uvarint(tag);
    const start = writer.position;
    codec.write(writer, values[name]);
    writer.insertUvarintSize(start);
  }
}

function refuse(name: string, field: Field, value: unknown, version: number): void {
  if (isDefault(field, value)) return;
  throw new FatalStreamsError(
    'UNSUPPORTED_FIELD',
    `field ${name} cannot be expressed in version ${version} of the request; the broker is too old for what was asked`,
  );
}
