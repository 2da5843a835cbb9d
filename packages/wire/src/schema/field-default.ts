import { ZERO_UUID } from '../primitives/protocol-reader.ts';
import type { Field, Fields, FieldType } from './field.ts';

const EMPTY_LIST: readonly unknown[] = Object.freeze([]);
const EMPTY_BYTES = Buffer.alloc(0);

/** What a field holds when it was not given or does not exist in the version. */
export function defaultOf(field: Field): unknown {
  const { options } = field;
  if (options.default !== undefined) return options.default;
  return options.nullable !== undefined || options.tag !== undefined ? undefined : zeroOf(field.type);
}

/** The value of a type that says nothing: 0, '', false, an empty list. */
export function zeroOf(type: FieldType): unknown {
  switch (type.kind) {
    case 'array':
      return EMPTY_LIST;
    case 'struct':
      return defaultsOf(type.fields);
    case 'string':
      return '';
    case 'bytes':
      return EMPTY_BYTES;
    case 'boolean':
      return false;
    case 'uuid':
      return ZERO_UUID;
    default:
      return 0;
  }
}

/** True when writing `value` or leaving the field out comes to the same. */
export function isDefault(field: Field, value: unknown): boolean {
  if (value == null) return true;
  const fallback = defaultOf(field);
  if (Array.isArray(value)) return value.length === 0 && Array.isArray(fallback);
  if (value instanceof Uint8Array) return value.length === 0 && fallback instanceof Uint8Array;
  return value === fallback;
}

function defaultsOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, defaultOf(field)]));
}
