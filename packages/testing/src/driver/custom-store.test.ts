import { int64, string, topic } from '@millrace/core';
import type { ChangelogWriter, StateStore, StoreBuilder, StoreContext, WriteBatch } from '@millrace/state';
import { type Processor, type ProcessorContext, Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { TopologyTestDriver } from './topology-test-driver.ts';

/** A store as a program may bring it: the longest text that was ever seen, with a changelog. */
class LongestText implements StateStore {
  readonly name: string;
  readonly kind = 'longestText';
  #context!: StoreContext;
  #text = '';
  #prepared = '';
  #committed = '';

  constructor(name: string) {
    this.name = name;
  }

  async open(context: StoreContext): Promise<void> {
    this.#context = context;
    await this.restored();
  }

  get text(): string {
    return this.#text;
  }

  see(text: string): void {
    if (text.length > this.#text.length) this.#text = text;
  }

  get #key(): Buffer {
    const { storeId } = this.#context;
    return Buffer.from([storeId >>> 8, storeId & 0xff, 1]);
  }

  flushCache(): void {}

  prepareCommit(batch: WriteBatch, changelog: ChangelogWriter | undefined): void {
    this.#prepared = this.#text;
    if (this.#text === this.#committed) return;
    const value = Buffer.from(this.#text);
    batch.putBytes(this.#key, value);
    changelog?.append(0, Buffer.from('longest'), 0, 7, value, 0, value.length);
  }

  committed(): void {
    this.#committed = this.#prepared;
  }

  rollback(): void {
    this.#text = this.#committed;
  }

  readonly dirtyBytes = 0;

  restore(
    batch: WriteBatch,
    _timestamp: number,
    source: Buffer,
    _keyStart: number,
    _keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (valueStart >= 0) batch.putBytes(this.#key, source.subarray(valueStart, valueEnd));
  }

  async restored(): Promise<void> {
    this.#text = Buffer.from(this.#context.database.get(this.#key) ?? []).toString();
    this.#committed = this.#text;
  }

  close(): void {}
}

function longestText(name: string): StoreBuilder<LongestText> {
  const build = () => new LongestText(name);
  return { name, kind: 'longestText', loggingEnabled: true, changelogConfig: {}, inMemory: false, build };
}

const input = topic('in', { key: string(), value: string() });
const output = topic('out', { key: string(), value: int64() });

function measurer(): Processor<string, string, string, number> {
  let context: ProcessorContext<string, number>;
  return {
    init(given) {
      context = given;
    },
    process(record) {
      const store = context.getStateStore<LongestText>('longest');
      store.see(record.value);
      context.forward(record.withValue(store.text.length));
    },
  };
}

describe('a store of the program’s own', () => {
  it('is used by processors, committed, and restored from its changelog', async () => {
    const topology = new Topology()
      .addSource('texts', input)
      .addProcessor('measure', measurer, ['texts'])
      .addStateStore(longestText('longest'), ['measure'])
      .addSink('lengths', output, ['measure']);
    const driver = await TopologyTestDriver.open(topology);
    const texts = driver.createInputTopic(input);
    const lengths = driver.createOutputTopic(output);
    await texts.pipeInput('a', 'long text');
    await texts.pipeInput('a', 'short');
    await driver.crash();
    await driver.restart();
    await texts.pipeInput('b', 'x');
    expect(lengths.readRecordsToList().map(({ value }) => value)).toEqual([9, 9, 9]);
    await driver.close();
  });
});
