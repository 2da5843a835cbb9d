import { string, topic } from '@millrace/core';
import { type KStream, type KTable, StreamsBuilder } from '@millrace/dsl';
import { type TestKeyValue, TopologyTestDriver } from '@millrace/testing';
import { describe, expect, it } from 'vitest';

const text = { key: string(), value: string() };
const input = topic('in', text);
const rows = topic('rows', text);
const out = topic('out', text);

type Key = string | undefined;
/** What comes out for records with neither key nor value, without key, without value, and with the empty text as key and value. */
type Outputs = readonly TestKeyValue<Key, string>[];

/** A stream, with rows that may be deleted or not. */
interface Writable {
  to(target: typeof out): void;
}

interface Row {
  readonly operator: string;
  readonly build: (stream: KStream<string, string>, table: KTable<string, string>) => Writable;
  readonly outputs: readonly (readonly [key: Key, value: string | undefined])[];
}

const kept = [
  [undefined, undefined],
  [undefined, 'v'],
  ['k', undefined],
  ['', ''],
] as const;

/** Source: Kafka Streams 4.3, with the rules of KIP-962 for joins. */
const TABLE: readonly Row[] = [
  { operator: 'to', build: (stream) => stream, outputs: kept },
  { operator: 'filter', build: (stream) => stream.filter(() => true), outputs: kept },
  { operator: 'peek', build: (stream) => stream.peek(() => undefined), outputs: kept },
  {
    operator: 'mapValues',
    build: (stream) => stream.mapValues((value) => `<${value ?? 'none'}>`),
    outputs: [
      [undefined, '<none>'],
      [undefined, '<v>'],
      ['k', '<none>'],
      ['', '<>'],
    ],
  },
  {
    operator: 'count skips records without key or value',
    build: (stream) => stream.groupByKey().count().toStream().mapValues(String),
    outputs: [['', '1']],
  },
  {
    operator: 'reduce skips records without key or value',
    build: (stream) =>
      stream
        .groupByKey()
        .reduce((last, value) => last + value)
        .toStream(),
    outputs: [['', '']],
  },
  {
    operator: 'toTable skips records without key; one without value deletes',
    build: (stream) => stream.toTable().toStream(),
    outputs: [
      ['k', undefined],
      ['', ''],
    ],
  },
  {
    operator: 'inner join with a table needs key and value',
    build: (stream, table) => stream.join(table, (value, row) => `${value}+${row}`),
    outputs: [['', '+row']],
  },
  {
    operator: 'left join with a table needs a value, but no key',
    build: (stream, table) => stream.leftJoin(table, (value, row) => `${value}+${row ?? 'none'}`),
    outputs: [
      [undefined, 'v+none'],
      ['', '+row'],
    ],
  },
];

async function outputsOf({ build }: Row): Promise<Outputs> {
  const builder = new StreamsBuilder();
  const table = builder.table(rows);
  build(builder.stream(input), table).to(out);
  await using driver = await TopologyTestDriver.open(builder.build());
  const row = driver.createInputTopic(rows);
  for (const key of ['k', '']) await row.pipeInput(key, 'row', { timestamp: 1 });
  const records = driver.createInputTopic(input);
  for (const [key, value] of kept) await records.pipeInput(key, value, { timestamp: 5 });
  return driver.createOutputTopic(out).readKeyValuesToList() as Outputs;
}

describe('F27 records without key or value, and empty ones', () => {
  it.each(TABLE)('$operator', async (row) => {
    const found = (await outputsOf(row)).map(({ key, value }) => [key, value]);
    expect(found).toEqual(row.outputs.map(([key, value]) => [key, value]));
  });
});
