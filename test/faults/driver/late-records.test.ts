import { json, type Logger, silentLogger, string, topic } from '@millrace/core';
import { StreamsBuilder, TimeWindows, untilWindowCloses } from '@millrace/dsl';
import { logAndContinueDeserialization } from '@millrace/runtime';
import { TopologyTestDriver, type TopologyTestDriverOptions } from '@millrace/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Input } from '../../oracle/ledger/ledger-model.ts';
import { windowsOf } from '../../oracle/ledger/ledger-model.ts';
import { GRACE_MS, WINDOW_MS, windowKey } from '../../oracle/ledger/ledger.ts';

const input = topic('in', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });
const YEAR_2100 = 4_102_444_800_000;

interface Outcome {
  readonly windows: ReadonlyMap<string, number>;
  readonly announced: number;
}

/** Counts per key and window with the real operators; says how many records were announced as left out. */
async function count(
  records: readonly Pick<Input, 'key' | 'timestamp'>[],
  options: TopologyTestDriverOptions = {},
): Promise<Outcome> {
  const builder = new StreamsBuilder();
  builder
    .stream(input)
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW_MS, GRACE_MS))
    .count()
    .suppress(untilWindowCloses())
    .toStream()
    .map((n, { key, window }) => [windowKey(key, window.start), n])
    .to(out);
  let announced = 0;
  const logger: Logger = { ...silentLogger, warn: () => void announced++, child: () => logger };
  await using driver = await TopologyTestDriver.open(builder.build(), { logger, ...options });
  const pipe = driver.createInputTopic(input);
  for (const { key, timestamp } of records) await pipe.pipeInput(key, 1, { timestamp });
  const windows = driver.createOutputTopic(out).readKeyValuesToList();
  const keys = windows.map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  return { windows: new Map(windows.map(({ key, value }) => [key as string, value as number])), announced };
}

function inputs(records: readonly (readonly [key: string, timestamp: number])[]): Input[] {
  return records.map(([key, timestamp], offset) => {
    return { partition: 0, offset, key, timestamp, entry: { id: `0-${offset}`, seq: offset, v: 1 } };
  });
}

/** Records whose window had closed before they came, by brute force. */
function lateOnes(records: readonly Input[]): number {
  let [streamTime, late] = [-1, 0];
  for (const { timestamp } of records) {
    streamTime = Math.max(streamTime, timestamp);
    if (timestamp - (timestamp % WINDOW_MS) + WINDOW_MS + GRACE_MS <= streamTime) late++;
  }
  return late;
}

const key = fc.constantFrom('a', 'b', 'c');
const time = fc.oneof(
  { weight: 96, arbitrary: fc.integer({ min: 10_000, max: 40_000 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(YEAR_2100) },
);

describe('F28 late and future records', () => {
  it('are in their window or announced as late, whatever the order', async () => {
    const records = fc.array(fc.tuple(key, time), { minLength: 1, maxLength: 60 }).map(inputs);
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const { windows, announced } = await count(given);
        expect(new Map(windows)).toEqual(windowsOf(given));
        expect(announced).toBe(lateOnes(given));
      }),
      { numRuns: 40 },
    );
  });

  it('one record of the year 2100 closes all windows, and every later record is announced', async () => {
    const given = inputs([
      ['a', 10_000],
      ['a', YEAR_2100],
      ['a', 10_001],
      ['b', 20_000],
    ]);
    expect(await count(given)).toEqual({ windows: new Map([[windowKey('a', 10_000), 1]]), announced: 2 });
  });

  it('with maxTimestampAheadMs one record of the year 2100 is left out and announced, and closes nothing', async () => {
    const given = inputs([
      ['a', 10_000],
      ['a', YEAR_2100],
      ['a', 10_001],
      ['b', 20_000],
    ]);
    const skipped: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (_message, fields) => void skipped.push(fields?.offset),
      child: () => logger,
    };
    const { windows, announced } = await count(given, {
      initialWallClockMs: 20_000,
      maxTimestampAheadMs: 3_600_000,
      onDeserializationError: logAndContinueDeserialization(logger),
    });
    expect(windows).toEqual(windowsOf(given.filter(({ timestamp }) => timestamp !== YEAR_2100)));
    expect(skipped).toEqual([1]);
    expect(announced).toBe(1);
  });

  it('with maxTimestampAheadMs and no handler one record of the year 2100 stops the worker', async () => {
    const options = { initialWallClockMs: 20_000, maxTimestampAheadMs: 3_600_000 };
    await expect(count(inputs([['a', YEAR_2100]]), options)).rejects.toMatchObject({
      code: 'TIMESTAMP_TOO_FAR_AHEAD',
      offset: 0,
    });
  });
});
