import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { JoinWindows, json, StreamsBuilder, string, TimeWindows, topic, type Topology } from 'millrace';
import { type InputRecord, TaskHarness } from './task-harness.ts';

/** How much is driven through a topology. */
export interface FlatnessOptions {
  /** Records per input topic within one retention. */
  readonly recordsPerRetention: number;
  readonly keys: number;
  readonly retentions: number;
  readonly commitsPerRetention: number;
  /** Size of LevelDB's write buffer: what is written below that size is never compacted. */
  readonly writeBufferBytes: number;
}

/** What is kept during one retention, bytes. */
export interface Footprint {
  /** Size of the state directory, the mean over all commits: it goes up and down with LevelDB's compactions. */
  readonly disk: number;
  /** In use after a full collection at the end: V8's heap and buffers outside of it. */
  readonly heap: number;
  readonly rss: number;
  /** In the database at the end: keys and values of all rows, without what LevelDB has not yet compacted away. */
  readonly rows: number;
}

/** A topology whose stores keep rows for `retentionMs` of stream time. */
export interface FlatnessCase {
  readonly name: string;
  readonly retentionMs: number;
  /** Memory for what is committed, of all stores together; default: enough for one retention of the test's load. */
  readonly cleanCacheBytes?: number;
  build(): Topology;
}

interface Event {
  readonly n: number;
  readonly note: string;
}

const FIRST_MS = 1_700_000_000_000;
const NOTE_BYTES = 100;
const NOTES_BYTES = 64 * 1024;
const WINDOW_MS = 60_000;
const CLEAN_CACHE_BYTES = 4 * 1024 * 1024;

export const flatnessCases: readonly FlatnessCase[] = [
  { name: 'windowed aggregation', retentionMs: WINDOW_MS, build: windowedAggregation },
  { name: 'stream-stream join', retentionMs: WINDOW_MS, build: streamJoin },
];

/** The last event and the count of each key in hopping windows of a minute. */
function windowedAggregation(): Topology {
  const event = json<Event>({ immutable: true });
  const builder = new StreamsBuilder();
  builder
    .stream(topic('left', { key: string(), value: event }))
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW_MS).advanceBy(WINDOW_MS / 3))
    .aggregate(
      (): Event => ({ n: 0, note: '' }),
      (before, { note }): Event => ({ n: before.n + 1, note }),
      { store: 'last', value: event },
    )
    .toStream()
    .foreach(() => undefined);
  return builder.build();
}

/** Events of two topics at most half a minute apart; those of the left alone once their window has closed. */
function streamJoin(): Topology {
  const event = json<Event>({ immutable: true });
  const builder = new StreamsBuilder();
  const right = builder.stream(topic('right', { key: string(), value: event }));
  builder
    .stream(topic('left', { key: string(), value: event }))
    .leftJoin(right, (one, other) => one.n + (other?.n ?? 0), {
      within: JoinWindows.ofTimeDifferenceWithNoGrace(WINDOW_MS / 2),
    })
    .foreach(() => undefined);
  return builder.build();
}

/** Drives a topology over many times its retention; returns what was kept during each. */
export async function measureFootprints(
  { retentionMs, cleanCacheBytes = CLEAN_CACHE_BYTES, build }: FlatnessCase,
  directory: string,
  options: FlatnessOptions,
): Promise<Footprint[]> {
  const topology = build();
  const topics = topology.plan().subtopologies.flatMap(({ sourceTopics }) => sourceTopics);
  const { commitsPerRetention, recordsPerRetention, retentions, writeBufferBytes } = options;
  const records = Math.round(recordsPerRetention / commitsPerRetention);
  const footprints: Footprint[] = [];
  await using harness = await TaskHarness.open(topology, { directory, writeBufferBytes, cleanCacheBytes });
  for (let first = 0; footprints.length < retentions; ) {
    const sizes: number[] = [];
    for (let commit = 0; commit < commitsPerRetention; commit++, first += records) {
      for (const name of topics) harness.enqueue(name, recordsFrom(first, records, retentionMs, options));
      await harness.commit();
      sizes.push(bytesIn(directory));
    }
    footprints.push({ disk: mean(sizes), rows: await harness.storedBytes(), ...memoryInUse() });
  }
  return footprints;
}

function recordsFrom(first: number, count: number, retentionMs: number, options: FlatnessOptions): InputRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i;
    const note = noteOf(n);
    const timestamp = FIRST_MS + Math.floor((n * retentionMs) / options.recordsPerRetention);
    return { key: `key-${n % options.keys}`, value: JSON.stringify({ n, note }), timestamp };
  });
}

/** Text of a fixed length, which differs from that of the records around it. */
function noteOf(n: number): string {
  const start = (n * 7) % (NOTES_BYTES - NOTE_BYTES);
  return notes.slice(start, start + NOTE_BYTES);
}

const notes = randomBytes(NOTES_BYTES / 2).toString('hex');

function memoryInUse(): Pick<Footprint, 'heap' | 'rss'> {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

let collect: (() => void) | undefined;

function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

/** A file that LevelDB deletes in the meantime counts as nothing. */
function bytesIn(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

/** The mean footprint of each third of the time after the first retention: what stays flat has equal ones. */
export function meanOfThirds([, ...settled]: readonly Footprint[]): Footprint[] {
  return [0, 1, 2].map((third) => {
    const part = settled.slice(Math.floor((third * settled.length) / 3), Math.floor(((third + 1) * settled.length) / 3));
    const meanOf = (figure: keyof Footprint): number => mean(part.map((one) => one[figure]));
    return { disk: meanOf('disk'), heap: meanOf('heap'), rss: meanOf('rss'), rows: meanOf('rows') };
  });
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}
