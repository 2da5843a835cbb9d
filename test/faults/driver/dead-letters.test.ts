import { bytes, int64, json, lastHeader, silentLogger, string, topic, type Logger } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import {
  deadLetter,
  logAndContinueDeserialization,
  logAndContinueProcessing,
  logAndContinueProduction,
  type ProcessingErrorHandler,
} from '@millrace/runtime';
import { type TestRecord, TopologyTestDriver } from '@millrace/testing';
import { Topology, type Processor, type ProcessorContext } from '@millrace/topology';
import { describe, expect, it } from 'vitest';

const raw = topic('in', { key: string(), value: bytes() });
const input = topic('in', { key: string(), value: json<{ readonly n: number }>() });
const texts = topic('in', { key: string(), value: string() });
const out = topic('out', { key: string(), value: json<unknown>() });
const dead = topic('dead', { key: bytes(), value: bytes() });

const continuing = {
  deadLetterTopic: 'dead',
  onDeserializationError: logAndContinueDeserialization(silentLogger),
  onProcessingError: logAndContinueProcessing(silentLogger),
  onProductionError: logAndContinueProduction(silentLogger),
};

/** A dead letter as text: key, value, and what its headers say. */
function shown({ key, value, headers }: TestRecord<Uint8Array, Uint8Array>): string {
  const said = ['exception', 'message', 'topic', 'partition', 'offset'].map((name) =>
    textOf(lastHeader(headers, `__streams.errors.${name}`)),
  );
  return `${textOf(key)}=${textOf(value)} ${said.join('|')}`;
}

function textOf(given: Uint8Array | undefined): string {
  return given === undefined ? '-' : Buffer.from(given).toString();
}

/** Forwards a record after a promise has resolved; `reject` rejects. */
function waiting(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  return {
    init(given) {
      context = given;
    },
    async process(record) {
      await Promise.resolve();
      if (record.value === 'reject') throw new RangeError('rejected');
      context.forward(record);
    },
  };
}

describe('F24 dead letters', () => {
  it('are input that cannot be deserialised, byte for byte, with its timestamp and headers', async () => {
    const builder = new StreamsBuilder();
    builder.stream(input).to(out);
    await using driver = await TopologyTestDriver.open(builder.build(), continuing);
    const pipe = driver.createInputTopic(raw);
    await pipe.pipeInput('a', Buffer.from('{"n":1}'), { timestamp: 1 });
    await pipe.pipeInput('b', Buffer.from([0x7b, 0xff, 0x00]), {
      timestamp: 2,
      headers: [{ key: 'trace', value: Buffer.from('t') }],
    });
    const letter = driver.createOutputTopic(dead).readRecord();
    expect(letter).toMatchObject({ key: Buffer.from('b'), value: Buffer.from([0x7b, 0xff, 0x00]), timestamp: 2 });
    expect(letter.headers[0]).toEqual({ key: 'trace', value: Buffer.from('t') });
    expect(textOf(lastHeader(letter.headers, '__streams.errors.offset'))).toBe('1');
    expect(driver.createOutputTopic(out).readValuesToList()).toEqual([{ n: 1 }]);
    expect(driver.metrics.total('millrace_task_records_dropped_total')).toBe(1);
  });

  it('are input at which user code has thrown, not what it had become by then', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream(texts)
      .mapValues((text) => text.toUpperCase())
      .mapValues((text) => {
        if (text === 'BAD') throw new TypeError('not that');
        return text;
      })
      .to(out);
    await using driver = await TopologyTestDriver.open(builder.build(), continuing);
    const pipe = driver.createInputTopic(texts);
    for (const text of ['good', 'bad', 'fine']) await pipe.pipeInput('k', text);
    expect(driver.createOutputTopic(dead).readRecordsToList().map(shown)).toEqual(['k=bad TypeError|not that|in|0|1']);
    expect(driver.createOutputTopic(out).readValuesToList()).toEqual(['GOOD', 'FINE']);
  });

  it('are still that input when a promise is rejected after the queue has gone on', async () => {
    const topology = new Topology()
      .addSource('in', texts)
      .addProcessor('wait', () => waiting(), ['in'])
      .addSink('out', out, ['wait']);
    await using driver = await TopologyTestDriver.open(topology, continuing);
    const piped = ['a', 'reject', 'b', 'reject', 'c'].map((text) => ['k', text] as const);
    await driver.createInputTopic(texts).pipeList(piped);
    expect(driver.createOutputTopic(dead).readRecordsToList().map(shown)).toEqual([
      'k=reject RangeError|rejected|in|0|1',
      'k=reject RangeError|rejected|in|0|3',
    ]);
  });

  it('are the input of each asynchronous call that failed, and of what fails behind it', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream(texts)
      .mapValuesAsync(async (text) => {
        await Promise.resolve();
        if (text === 'call') throw new Error('call failed');
        return text;
      })
      .mapValues((text) => {
        if (text === 'behind') throw new Error('failed behind');
        return text;
      })
      .to(out);
    await using driver = await TopologyTestDriver.open(builder.build(), continuing);
    const piped = ['a', 'call', 'b', 'behind', 'c'].map((text, n) => [`k${n}`, text] as const);
    await driver.createInputTopic(texts).pipeList(piped);
    const letters = driver.createOutputTopic(dead).readRecordsToList().map(shown);
    expect(letters.toSorted()).toEqual(['k1=call Error|call failed|in|0|1', 'k3=behind Error|failed behind|in|0|3']);
  });

  it('are the input of what cannot be serialised', async () => {
    const topology = new Topology()
      .addSource('in', texts)
      .addSink('out', topic('out', { key: string(), value: int64() as never }), ['in']);
    await using driver = await TopologyTestDriver.open(topology, continuing);
    await driver.createInputTopic(texts).pipeInput('k', 'text');
    expect(driver.createOutputTopic(dead).readRecordsToList().map(shown)).toMatchObject([/^k=text .*\|in\|0\|0$/]);
  });

  it('have neither key nor value when a punctuator fails: there is no input', async () => {
    const topology = new Topology().addSource('in', texts).addProcessor(
      'tick',
      () => ({
        init: (context: ProcessorContext<string, string>) =>
          void context.schedule(100, 'wall-clock-time', () => {
            throw new Error('tick failed');
          }),
        process: () => undefined,
      }),
      ['in'],
    );
    await using driver = await TopologyTestDriver.open(topology, { ...continuing, initialWallClockMs: 5000 });
    await driver.advanceWallClock(100);
    const [letter] = driver.createOutputTopic(dead).readRecordsToList();
    expect(letter && shown(letter)).toBe('-=- Error|tick failed|-|-1|-1');
    expect(letter?.timestamp).toBe(5100);
  });

  it('go down with the transaction when the handler stops the task, and are written again by whoever processes the input next', async () => {
    const builder = new StreamsBuilder();
    let isMended = false;
    builder
      .stream(texts)
      .mapValues((text) => {
        if (!isMended) throw new Error('not mended');
        return text;
      })
      .to(out);
    await using driver = await TopologyTestDriver.open(builder.build(), { deadLetterTopic: 'dead' });
    await expect(driver.createInputTopic(texts).pipeInput('k', 'v')).rejects.toMatchObject({ code: 'PROCESSING_FAILED' });
    await driver.crash();
    isMended = true;
    await driver.restart();
    expect(driver.createOutputTopic(dead).readRecordsToList()).toEqual([]);
    expect(driver.createOutputTopic(out).readValuesToList()).toEqual(['v']);
  });

  it('are committed with the offset behind their input: a crash before that leaves none, and there is one in the end', async () => {
    const builder = new StreamsBuilder();
    builder.stream(input).to(out);
    await using driver = await TopologyTestDriver.open(builder.build(), { ...continuing, autoCommit: false });
    const letters = driver.createOutputTopic(dead);
    const pipe = driver.createInputTopic(raw);
    await pipe.pipeInput('k', Buffer.from('{'));
    await driver.crash();
    expect(letters.queueSize).toBe(0);
    await driver.restart();
    await driver.commit();
    await driver.crash();
    await driver.restart();
    await driver.commit();
    expect(letters.readRecordsToList().map(shown)).toMatchObject([/^k=\{ SyntaxError\|/]);
  });

  it('may be whatever a handler of the user answers with, for any topic', async () => {
    const builder = new StreamsBuilder();
    builder
      .stream(texts)
      .mapValues((text): string => {
        throw new Error(text);
      })
      .to(out);
    const onProcessingError: ProcessingErrorHandler = {
      handle: (context, _record, error) => ({
        decide: 'continue',
        deadLetters: [
          deadLetter('dead', context, error),
          { topic: 'other', key: undefined, value: Buffer.from('own'), timestamp: 3, headers: [] },
        ],
      }),
    };
    await using driver = await TopologyTestDriver.open(builder.build(), { onProcessingError });
    await driver.createInputTopic(texts).pipeInput('k', 'v');
    expect(driver.createOutputTopic(dead).readRecordsToList().map(shown)).toEqual(['k=v Error|v|in|0|0']);
    expect(driver.createOutputTopic({ ...dead, name: 'other' }).readRecord()).toMatchObject({ key: undefined, timestamp: 3 });
  });
});

describe('F28 maxTimestampAheadMs', () => {
  const builder = (): StreamsBuilder => {
    const made = new StreamsBuilder();
    made.stream(texts).to(out);
    return made;
  };
  const limited = { initialWallClockMs: 1_000_000, maxTimestampAheadMs: 60_000 };

  it('stops at a record from the far future, and names it', async () => {
    await using driver = await TopologyTestDriver.open(builder().build(), limited);
    await expect(driver.createInputTopic(texts).pipeInput('k', 'v', { timestamp: 1_060_001 })).rejects.toMatchObject({
      code: 'TIMESTAMP_TOO_FAR_AHEAD',
      topic: 'in',
      offset: 0,
      message: expect.stringContaining('60001 ms ahead of the wall clock, maxTimestampAheadMs allows 60000'),
    });
  });

  it('leaves it out where the deserialisation handler says so: counted, announced, and a dead letter', async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (_message, fields) => void warnings.push(fields), child: () => logger };
    const options = { ...continuing, ...limited, logger, onDeserializationError: logAndContinueDeserialization(logger) };
    await using driver = await TopologyTestDriver.open(builder().build(), options);
    const pipe = driver.createInputTopic(texts);
    for (const timestamp of [1_060_000, 1_060_001, 5]) await pipe.pipeInput('k', String(timestamp), { timestamp });
    expect(driver.createOutputTopic(out).readValuesToList()).toEqual(['1060000', '5']);
    expect(warnings).toContainEqual(expect.objectContaining({ reason: 'timestamp too far ahead' }));
    expect(driver.metrics.total('millrace_task_records_dropped_total')).toBe(1);
    expect(driver.createOutputTopic(dead).readRecordsToList().map(shown)).toMatchObject([/^k=1060001 ProcessingError\|/]);
    await driver.advanceWallClock(1);
    await pipe.pipeInput('k', 'later', { timestamp: 1_060_001 });
    expect(driver.createOutputTopic(out).readValuesToList()).toContain('later');
  });
});
