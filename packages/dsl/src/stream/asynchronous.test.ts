import { json, string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import type { AsyncProcessor, AsyncProcessorSupplier, Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import type { KStream } from '../streams.ts';
import { StreamsBuilder } from '../streams-builder.ts';

const text = topic('text', { key: string(), value: string() });

const processor = (): AsyncProcessor<string, string, void, string, string> => ({
  request: async () => undefined,
  process: () => undefined,
});

function build(program: (stream: KStream<string, string>) => void): Topology {
  const builder = new StreamsBuilder();
  program(builder.stream(text));
  return builder.build();
}

function names(topology: Topology): string[] {
  return topology.definition().nodes.map(({ name }) => name);
}

describe('an asynchronous operator', () => {
  it.each<[string, (stream: KStream<string, string>) => void]>([
    ['KSTREAM-MAP-ASYNC-', (stream) => stream.mapAsync(async (value, key) => [key, value])],
    ['KSTREAM-MAPVALUES-ASYNC-', (stream) => stream.mapValuesAsync(async (value) => value)],
    ['KSTREAM-FLATMAP-ASYNC-', (stream) => stream.flatMapAsync(async () => [])],
    ['KSTREAM-FLATMAPVALUES-ASYNC-', (stream) => stream.flatMapValuesAsync(async () => [])],
    ['KSTREAM-FOREACH-ASYNC-', (stream) => stream.foreachAsync(async () => undefined)],
    ['KSTREAM-PROCESS-ASYNC-', (stream) => stream.processAsync(processor)],
  ])('is named %s and a number', (prefix, program) => {
    expect(names(build(program))[1]).toBe(`${prefix}0000000001`);
  });

  it.each<[string, boolean, (stream: KStream<string, string>) => KStream<string, string>]>([
    ['mapAsync', true, (stream) => stream.mapAsync(async (value, key) => [key, value] as const, text)],
    ['flatMapAsync', true, (stream) => stream.flatMapAsync(async () => [] as [string, string][], text)],
    ['processAsync', true, (stream) => stream.processAsync(processor, text)],
    ['mapValuesAsync', false, (stream) => stream.mapValuesAsync(async (value) => value, { value: string() })],
    ['flatMapValuesAsync', false, (stream) => stream.flatMapValuesAsync(async () => [''], { value: string() })],
  ])('%s: what follows by key is repartitioned: %s', (_name, isRepartitioned, operate) => {
    const topology = build((stream) => void operate(stream).groupByKey().count());
    expect(topology.plan().subtopologies.length).toBe(isRepartitioned ? 2 : 1);
  });

  it('takes a name, and serdes for what has to be written', () => {
    const topology = build((stream) =>
      stream.mapValuesAsync(async ({ length }) => ({ length }), { name: 'measure', value: json<{ length: number }>() }).to('out'),
    );
    expect(names(topology)).toEqual(['KSTREAM-SOURCE-0000000000', 'measure', 'KSTREAM-SINK-0000000002']);
  });

  it('is refused with options that cannot work, by name', () => {
    expect(() => build((stream) => stream.foreachAsync(async () => undefined, { name: 'mail', concurrency: 0 }))).toThrow(
      expect.objectContaining({ code: 'INVALID_ASYNC_OPTIONS', node: 'mail' }),
    );
  });

  it('processAsync connects the stores that the options name and those that the supplier brings', () => {
    const builder = new StreamsBuilder();
    builder.addStateStore(keyValueStore('named', string(), string()));
    const brought = keyValueStore('brought', string(), string());
    const supplier: AsyncProcessorSupplier<string, string, void> = Object.assign(() => processor() as never, {
      stores: [brought],
    });
    builder.stream(text).processAsync(supplier, { name: 'ask', stores: ['named'] });
    const [plan] = builder.build().plan().subtopologies;
    expect(plan?.stores.map((store) => [store.builder.name, store.nodes]).sort()).toEqual([
      ['brought', ['ask']],
      ['named', ['ask']],
    ]);
  });

  it('processAsync refuses a supplier that returns one processor for all tasks', () => {
    const shared = processor();
    expect(() => build((stream) => stream.processAsync(() => shared))).toThrow(
      expect.objectContaining({ code: 'SHARED_PROCESSOR' }),
    );
  });
});
