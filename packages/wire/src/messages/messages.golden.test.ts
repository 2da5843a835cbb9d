import { describe, expect, it } from 'vitest';
import { readFixture } from '../fixtures/read-fixture.ts';
import type { Api } from '../schema/api.ts';
import type { Field, Fields } from '../schema/field.ts';
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../schema/message-codec.ts';
import { inRange } from '../schema/version-range.ts';
import { apis } from './api-table.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

interface GoldenMessage {
  readonly api: string;
  readonly version: number;
  readonly direction: 'request' | 'response';
  readonly content: 'full' | 'sparse';
  readonly hex: string;
  readonly json: Json;
}

/** What the generator puts into every field of type records, which Kafka's JSON leaves out. */
const RECORDS = Buffer.from([1, 2, 3, 4, 5]);

/** Names that Kafka gave its fields when versions for brokers only came along. */
const RENAMED: Readonly<Record<string, string>> = {
  transactionalId: 'v3AndBelowTransactionalId',
  producerId: 'v3AndBelowProducerId',
  producerEpoch: 'v3AndBelowProducerEpoch',
  topics: 'v3AndBelowTopics',
  resultsByTopic: 'resultsByTopicV3AndBelow',
};

/** What our decoder must make of Kafka's JSON, field by field as the schema says. */
function fromKafka(fields: Fields, json: Json, version: number): Record<string, unknown> {
  const object = json as { readonly [name: string]: Json };
  const values: Record<string, unknown> = {};
  const known = Object.keys(fields).flatMap((name) => [name, RENAMED[name]]);
  // A field of Kafka's that goes by another name here would not be compared at all.
  expect(known).toEqual(expect.arrayContaining(Object.keys(object).filter((name) => !name.endsWith('SizeInBytes'))));
  for (const [name, field] of Object.entries(fields)) {
    if (!inRange(field.options.versions ?? '0+', version)) continue;
    const renamed = RENAMED[name];
    const given = object[name] ?? (renamed === undefined ? undefined : object[renamed]);
    if (name === 'records') values[name] = given === null ? undefined : 'records';
    else if (given !== undefined) values[name] = fieldFromKafka(field, given, version);
  }
  return values;
}

function fieldFromKafka({ type }: Field, json: Json, version: number): unknown {
  if (json === null) return undefined;
  switch (type.kind) {
    case 'array':
      return (json as readonly Json[]).map((element) => fieldFromKafka(type.element, element, version));
    case 'struct':
      return fromKafka(type.fields, json, version);
    case 'bytes':
      return Buffer.from(json as string, 'base64');
    case 'uuid': {
      const hex = Buffer.from(json as string, 'base64url').toString('hex');
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
    default:
      return json;
  }
}

/** Kafka's JSON has no records: only whether there were any can be compared there; the bytes are compared by encoding. */
function withoutRecords(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.equals(RECORDS) ? 'records' : value;
  if (Array.isArray(value)) return value.map(withoutRecords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutRecords(item)]));
}

const golden = readFixture<GoldenMessage>('messages').map((message) => ({
  ...message,
  schema: apis.find(({ name }) => name === message.api) as Api,
  bytes: Buffer.from(message.hex, 'hex'),
}));

describe("messages serialised by Kafka's own classes", () => {
  it.each(golden)(
    '$api $version $direction ($content) are decoded to the same content',
    ({ schema, version, direction, bytes, json }) => {
      const decoded = direction === 'request' ? decodeRequest(schema, version, bytes) : decodeResponse(schema, version, bytes);
      expect(withoutRecords(decoded)).toMatchObject(fromKafka(schema[direction], json, version));
    },
  );

  it.each(golden)(
    '$api $version $direction ($content) are encoded to the same bytes',
    ({ schema, version, direction, bytes }) => {
      const again =
        direction === 'request'
          ? encodeRequest(schema, version, decodeRequest(schema, version, bytes))
          : encodeResponse(schema, version, decodeResponse(schema, version, bytes));
      expect(again.toString('hex')).toBe(bytes.toString('hex'));
    },
  );

  it('cover every version that is described', () => {
    for (const { name, versionMin, versionMax } of apis) {
      const versions = new Set(golden.filter(({ api }) => api === name).map(({ version }) => version));
      expect([name, Math.min(...versions), Math.max(...versions), versions.size]).toEqual([
        name,
        versionMin,
        versionMax,
        versionMax - versionMin + 1,
      ]);
    }
  });
});
