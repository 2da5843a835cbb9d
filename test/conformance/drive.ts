import type { Headers } from '@millrace/core';
import type { ReadOnlyKeyValueStore, SessionStore, StateStore, WindowedKey, WindowStore } from '@millrace/state';
import { type TestInputTopic, type TestOutputTopic, TopologyTestDriver } from '@millrace/testing';
import type { Topology } from '@millrace/topology';
import type { Observed } from './compare.ts';
import type { EngineUnderTest } from './engines.ts';
import { keyJson, type Value } from './functions.ts';
import { plain } from './interpreter/store-commands.ts';
import { inputTopic, outputTopic, type VectorKey } from './interpreter/vector-topics.ts';
import type { HeaderJson, InputJson, OutputJson, StoreContentJson, StoreEntryJson, Vector } from './vector.ts';

export interface Run {
  readonly observed: Observed;
  /** Index of the input that made the application fail. */
  readonly failedAt: number | undefined;
  readonly error: unknown;
}

/** Feeds the vector's inputs into the topology one by one and notes everything that comes out. */
export async function drive(vector: Vector, topology: Topology, { engine, directory }: EngineUnderTest): Promise<Run> {
  const config = vector.config ?? {};
  const driver = await TopologyTestDriver.open(topology, {
    applicationId: 'app',
    initialWallClockMs: config.wallClockStartMs ?? 0,
    cacheMaxBytes: config.cacheMaxBytes ?? 0,
    emitIntervalMs: config.emitIntervalMs ?? 0,
    engine,
    stateDir: directory,
  });
  try {
    const session = new Session(driver, Object.keys(vector.outputs ?? sinkTopics(vector)));
    for (const [at, input] of vector.inputs.entries()) {
      try {
        await session.feed(input);
      } catch (error) {
        session.collect(at);
        return { observed: await observe(vector, topology, session, driver, true), failedAt: at, error };
      }
      session.collect(at);
    }
    return { observed: await observe(vector, topology, session, driver, false), failedAt: undefined, error: undefined };
  } finally {
    await driver.close();
  }
}

function sinkTopics(vector: Vector): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    vector.topology.flatMap((step) => (step.op === 'to' && step.topic !== undefined ? [[step.topic, true]] : [])),
  );
}

/** The topics of one run. */
class Session {
  readonly outputs: Record<string, OutputJson[]> = {};
  readonly #driver: TopologyTestDriver;
  readonly #readers: readonly (readonly [name: string, reader: TestOutputTopic<VectorKey, Value>])[];
  readonly #writers = new Map<string, TestInputTopic<string, Value>>();
  /** The topic of the input that was fed last. */
  #fed: string | undefined;

  constructor(driver: TopologyTestDriver, outputs: readonly string[]) {
    this.#driver = driver;
    this.#readers = outputs.map((name) => [name, driver.createOutputTopic(outputTopic(name))]);
    for (const name of outputs) this.outputs[name] = [];
  }

  async feed(input: InputJson): Promise<void> {
    this.#fed = undefined;
    if ('advanceWallClockMs' in input) return this.#driver.advanceWallClock(input.advanceWallClockMs);
    const headers = (input.headers ?? []).map(([key, text]) => ({ key, value: Buffer.from(text) }));
    const writer = this.#writer(input.topic);
    this.#fed = input.topic;
    await writer.pipeInput(input.key ?? undefined, input.value ?? undefined, { timestamp: input.ts, headers });
  }

  #writer(name: string): TestInputTopic<string, Value> {
    let writer = this.#writers.get(name);
    if (writer === undefined) {
      writer = this.#driver.createInputTopic(inputTopic(name));
      this.#writers.set(name, writer);
    }
    return writer;
  }

  /** Notes what was written since the last call. */
  collect(at: number): void {
    for (const [name, reader] of this.#readers) {
      // Outputs are what the topology wrote; the driver's topics hold what was fed, too.
      if (name === this.#fed) reader.readRecord();
      for (const { key, value, timestamp, headers } of reader.readRecordsToList()) {
        const record = { key: keyJson(key), value: value ?? null, ts: timestamp };
        this.outputs[name]?.push(headers.length === 0 ? { ...record, at } : { ...record, headers: headersJson(headers), at });
      }
    }
  }
}

function headersJson(headers: Headers): HeaderJson[] {
  return headers.map(({ key, value }) => [key, Buffer.from(value ?? []).toString()]);
}

async function observe(
  vector: Vector,
  topology: Topology,
  session: Session,
  driver: TopologyTestDriver,
  failed: boolean,
): Promise<Observed> {
  const stores: Record<string, StoreContentJson> = {};
  const opened = failed ? new Map<string, StateStore>() : driver.getAllStateStores();
  for (const name of Object.keys(vector.stores ?? {})) {
    const store = opened.get(name);
    if (store !== undefined) stores[name] = { kind: store.kind, entries: listedIn(vector, store, await entriesOf(store)) };
  }
  return { describe: String(topology.describe()), outputs: session.outputs, stores, droppedRecords: droppedRecords(driver) };
}

/** Vectors list the latest rows of a versioned store for those keys only that occur in the inputs. */
function listedIn({ inputs }: Vector, store: StateStore, entries: StoreEntryJson[]): StoreEntryJson[] {
  if (store.kind !== 'versioned') return entries;
  const keys = new Set(inputs.map((input) => ('key' in input ? input.key : null)));
  return entries.filter(({ key }) => typeof key === 'string' && keys.has(key));
}

type Listed = AsyncIterable<readonly [key: string | WindowedKey<string>, value: unknown]>;

async function entriesOf(store: StateStore): Promise<StoreEntryJson[]> {
  const entries: StoreEntryJson[] = [];
  const listed = (
    store as unknown as ReadOnlyKeyValueStore<string, unknown> & WindowStore<string, unknown> & SessionStore<string, unknown>
  ).all();
  for await (const [key, value] of listed as Listed) entries.push({ key: keyJson(key), ...valueAndTime(value) });
  return store.kind === 'keyValue' || store.kind === 'timestampedKeyValue' ? entries : entries.toSorted(byKeyStartEnd);
}

function valueAndTime(value: unknown): { readonly value: StoreEntryJson['value']; readonly ts?: number } {
  const json = plain(value);
  const timestamped = typeof value === 'object' && value !== null && 'timestamp' in value;
  return timestamped ? (json as unknown as { value: StoreEntryJson['value']; ts: number }) : { value: json };
}

function byKeyStartEnd(a: StoreEntryJson, b: StoreEntryJson): number {
  const [left, right] = [a.key, b.key];
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return 0;
  return (
    Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)) ||
    left.start - right.start ||
    (left.end ?? 0) - (right.end ?? 0)
  );
}

function droppedRecords(driver: TopologyTestDriver): number {
  return driver.metrics.total('millrace_task_records_dropped_total');
}
