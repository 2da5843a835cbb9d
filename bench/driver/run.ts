/**
 * What the test driver costs: CPU per record of filter → mapValues → count with JSON values, state in memory, beside the same
 * work in a bare loop, in turns in one process.
 *
 * Two things are measured of each: processing alone, against a loop that keeps nothing; and a whole test, which keeps the outputs
 * and reads them, against a loop that does so too.
 *
 *     npm run bench:driver -- [records per round] [rounds] [highest allowed ratio of pipeList, outputs read]
 */
import { bytes, json, string, StreamsBuilder, topic, type Topology } from 'millrace';
import { TopologyTestDriver, type TestInputTopic } from '@millrace/testing';

interface Reading {
  readonly id: string;
  readonly ts: number;
  readonly seq: number;
  readonly note: string;
}

interface Count {
  readonly id: string;
  readonly count: number;
}

const RECORDS = Number(process.argv[2] ?? 300_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const RATIO_MAX = Number(process.argv[4] ?? Infinity);
/** Distinct inputs, each with its own key; they come again and again, so that the garbage collector does not measure itself. */
const KEYS = 10_000;

const readings: Reading[] = Array.from({ length: KEYS }, (_, i) => ({
  id: `sensor-${String(i).padStart(9, '0')}`,
  ts: 1_700_000_000_000 + i,
  seq: i,
  note: 'abcdefghijklmnopqrstuvwxyz'.repeat(2).slice(0, 40),
}));
const texts: Buffer[] = readings.map((reading) => Buffer.from(JSON.stringify(reading)));

function topology(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic('readings', { key: string(), value: json<Reading>() }))
    .filter(({ seq }) => seq >= 0)
    .mapValues(({ id, seq }) => ({ id, seq }))
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .mapValues((count, id) => ({ id, count }))
    .to(topic('counts', { key: string(), value: json<Count>() }));
  return builder.build();
}

/** CPU seconds per record. */
interface Cost {
  readonly processing: number;
  /** Processing and reading the outputs. */
  readonly all: number;
}

// ---- by hand ----

/**
 * The topology by hand: JSON text in, JSON text out. Text is bytes, as in a record, and objects are serialised first, as the driver
 * has to.
 */
function loop(asText: boolean, emit: (output: Buffer) => void): void {
  const counts = new Map<string, number>();
  for (let i = 0; i < RECORDS; i++) {
    const text = asText ? (texts[i % KEYS] as Buffer) : Buffer.from(JSON.stringify(readings[i % KEYS]));
    const { id, seq } = JSON.parse(text.toString('utf8')) as Reading;
    if (seq < 0) continue;
    const mapped = { id, seq };
    const count = (counts.get(mapped.id) ?? 0) + 1;
    counts.set(mapped.id, count);
    emit(Buffer.from(JSON.stringify({ id: mapped.id, count })));
  }
}

function loopCost(asText: boolean): Cost {
  let bytesOut = 0;
  const processing = cpuPerRecord(() =>
    loop(asText, (output) => {
      bytesOut += output.length;
    }),
  );
  if (bytesOut < RECORDS) throw new Error('the loop has not counted');
  const all = cpuPerRecord(() => {
    const outputs: Buffer[] = [];
    loop(asText, (output) => void outputs.push(output));
    assertCounted(outputs.map((output) => JSON.parse(output.toString('utf8')) as Count));
  });
  return { processing, all };
}

// ---- by the driver ----

type Pipe = <V>(input: TestInputTopic<string, V>, values: readonly V[]) => Promise<void>;

const pipeList: Pipe = (input, values) => input.pipeList(lines(values));

function* lines<V>(values: readonly V[]): Generator<readonly [string, V, number]> {
  for (let i = 0; i < RECORDS; i++) yield [keyAt(i), values[i % KEYS] as V, i];
}

const pipeInput: Pipe = async (input, values) => {
  for (let i = 0; i < RECORDS; i++) await input.pipeInput(keyAt(i), values[i % KEYS] as never, { timestamp: i });
};

function keyAt(i: number): string {
  return (readings[i % KEYS] as Reading).id;
}

/** @param asText whether the values are piped as JSON text or as objects, which the driver then serialises */
async function driverCost(pipe: Pipe, asText: boolean): Promise<Cost> {
  await using driver = await TopologyTestDriver.open(topology());
  const before = cpuSeconds();
  if (asText) await pipe(driver.createInputTopic(topic('readings', { key: string(), value: bytes() })), texts);
  else await pipe(driver.createInputTopic(topic('readings', { key: string(), value: json<Reading>() })), readings);
  const processing = (cpuSeconds() - before) / RECORDS;
  const output = driver.createOutputTopic(topic('counts', { key: string(), value: json<Count>() }));
  const reading = cpuPerRecord(() => assertCounted(output.readValuesToList()));
  return { processing, all: processing + reading };
}

// ---- measuring ----

function assertCounted(outputs: readonly (Count | undefined)[]): void {
  const last = outputs[outputs.length - 1];
  if (outputs.length !== RECORDS || last?.count !== Math.ceil(RECORDS / KEYS)) throw new Error('it has not counted');
}

function cpuPerRecord(work: () => void): number {
  const before = cpuSeconds();
  work();
  return (cpuSeconds() - before) / RECORDS;
}

/** CPU seconds of the process, threads of the garbage collector and the compiler among them. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

interface Measurement {
  readonly name: string;
  readonly measure: () => Cost | Promise<Cost>;
  readonly costs: Cost[];
}

const measurements: readonly Measurement[] = [
  { name: 'bare loop', measure: () => loopCost(true), costs: [] },
  { name: 'pipeList', measure: () => driverCost(pipeList, true), costs: [] },
  { name: 'pipeInput', measure: () => driverCost(pipeInput, true), costs: [] },
  { name: 'bare loop', measure: () => loopCost(false), costs: [] },
  { name: 'pipeList', measure: () => driverCost(pipeList, false), costs: [] },
  { name: 'pipeInput', measure: () => driverCost(pipeInput, false), costs: [] },
];

// The first round warms up.
for (let round = 0; round <= ROUNDS; round++) {
  for (const { measure, costs } of measurements) {
    const cost = await measure();
    if (round > 0) costs.push(cost);
  }
}

let highest = 0;
for (const [i, { name, costs }] of measurements.entries()) {
  const base = measurements[i < 3 ? 0 : 3] as Measurement;
  const figures = (['processing', 'all'] as const).map((part) => {
    // Of all rounds the one that was disturbed least: whatever else runs on the machine only ever adds.
    const own = Math.min(...costs.map((cost) => cost[part]));
    const ratio = own / Math.min(...base.costs.map((cost) => cost[part]));
    if (name === 'pipeList' && part === 'all') highest = Math.max(highest, ratio);
    return `${(own * 1e6).toFixed(2)} µs, ${ratio.toFixed(2)} × loop`;
  });
  const form = i < 3 ? 'text' : 'objects';
  console.log(`${`${name}, ${form}`.padEnd(20)} processing ${figures[0]}   with outputs read ${figures[1]}`);
}
if (highest > RATIO_MAX) {
  console.error(`pipeList costs ${highest.toFixed(2)} × the loop; ${RATIO_MAX} × is allowed`);
  process.exitCode = 1;
}
