import { CorruptDataError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFlexible, type Api, type Direction } from '../schema/api.ts';
import { defaultOf } from '../schema/field-default.ts';
import type { Field, Fields, ScalarKind } from '../schema/field.ts';
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../schema/message-codec.ts';
import { inRange } from '../schema/version-range.ts';
import { apis } from './api-table.ts';

const safe = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
const scalars: Readonly<Record<ScalarKind, fc.Arbitrary<unknown>>> = {
  boolean: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint16: fc.integer({ min: 0, max: 65_535 }),
  int32: fc.integer(),
  int64: fc.oneof(fc.integer(), fc.integer(safe)),
  uuid: fc.uuid(),
  string: fc.string({ maxLength: 12, unit: 'grapheme' }),
  bytes: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
};

/** Any value that the message can carry in that version, with the fields that it cannot carry at their defaults. */
function anyOf(fields: Fields, version: number, flexible: boolean): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(fields).map(([name, field]): [string, fc.Arbitrary<unknown>] => {
    const exists = inRange(field.options.versions ?? '0+', version) && (field.options.tag === undefined || flexible);
    return [name, exists ? anyField(field, version, flexible) : fc.constant(defaultOf(field))];
  });
  return fc.record(Object.fromEntries(entries));
}

function anyField(field: Field, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  const { type, options } = field;
  const value =
    type.kind === 'array'
      ? fc.array(anyField(type.element, version, flexible), { maxLength: 3 })
      : type.kind === 'struct'
        ? anyOf(type.fields, version, flexible)
        : scalars[type.kind];
  const absentPossible =
    inRange(options.nullable ?? 'none', version) || (options.tag !== undefined && options.default === undefined);
  return absentPossible ? fc.option(value, { nil: undefined }) : value;
}

function encode(api: Api, version: number, direction: Direction, body: Record<string, unknown>): Buffer {
  return direction === 'request' ? encodeRequest(api, version, body) : encodeResponse(api, version, body);
}

function decode(api: Api, version: number, direction: Direction, buffer: Buffer): Record<string, unknown> {
  return direction === 'request' ? decodeRequest(api, version, buffer) : decodeResponse(api, version, buffer);
}

const cases = apis.flatMap((api) =>
  Array.from({ length: api.versionMax - api.versionMin + 1 }, (_, i) => api.versionMin + i).flatMap((version) =>
    (['request', 'response'] as const).map((direction) => ({
      api,
      version,
      direction,
      name: `${api.name} ${version} ${direction}`,
    })),
  ),
);

describe('every message in every version', () => {
  it.each(cases)('$name is decoded to what was encoded', ({ api, version, direction }) => {
    fc.assert(
      fc.property(anyOf(api[direction], version, isFlexible(api, version)), (body) => {
        expect(decode(api, version, direction, encode(api, version, direction, body))).toEqual(body);
      }),
      { numRuns: 15 },
    );
  });

  it.each(cases)('$name is refused with CorruptDataError wherever it is cut off', ({ api, version, direction }) => {
    fc.assert(
      fc.property(anyOf(api[direction], version, isFlexible(api, version)), (body) => {
        const whole = encode(api, version, direction, body);
        for (let length = 0; length < whole.length; length++) {
          expect(() => decode(api, version, direction, whole.subarray(0, length))).toThrow(CorruptDataError);
        }
      }),
      { numRuns: 3 },
    );
  });

  it.each(cases)('$name with damaged bytes is decoded or refused with CorruptDataError', ({ api, version, direction }) => {
    const damaged = fc.tuple(
      anyOf(api[direction], version, isFlexible(api, version)),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    );
    fc.assert(
      fc.property(damaged, ([body, changes]) => {
        const message = Buffer.from(encode(api, version, direction, body));
        for (const [position, byte] of changes) if (message.length > 0) message[position % message.length] = byte;
        try {
          decode(api, version, direction, message);
        } catch (error) {
          if (!(error instanceof CorruptDataError)) throw error;
        }
      }),
      { numRuns: 25 },
    );
  });
});
