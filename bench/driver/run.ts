/**
 * What the test driver costs: CPU per record of filter → mapValues → count with JSON values, state in memory, beside the same
 * work in a bare loop, in turns in one process.
 *
 *     npm run bench:driver -- [records per round] [rounds]
 */
import { bytes, json, string, StreamsBuilder, topic, type Topology } from 'millrace';
import { TopologyTestDriver, type TestInputTopic } from '@millrace/testing';

interface Reading {
  readonly id: string;
  readonly ts: number;
  readonly seq: number;
  readonly note: string;
}

const RECORDS = Number(process.argv[2] ?? 300_000);
const ROUNDS = Number(process.argv[3] ?? 5);
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
    .to(topic('counts', { key: string(), value: json<{ id: string; count: number }>() }));
  return builder.build();
}

/** The same by hand: text in, text out. */
function bareLoop(): void {
  const counts = new Map<string, number>();
  let length = 0;
  for (let i = 0; i < RECORDS; i++) {
    const { id, seq } = JSON.parse((texts[i % KEYS] as Buffer).toString('utf8')) as Reading;
    if (seq < 0) continue;
    const mapped = { id, seq };
    const count = (counts.get(mapped.id) ?? 0) + 1;
    counts.set(mapped.id, count);
    length += Buffer.from(JSON.stringify({ id: mapped.id, count })).length;
  }
  if (counts.size !== KEYS || length === 0) throw new Error('the loop has not counted');
}

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

/** CPU seconds of the process, threads of the garbage collector and the compiler among them. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** @param asText whether the values are piped as JSON text, as the loop gets them, or as objects, which the driver then serialises too */
async function driverSeconds(pipe: Pipe, asText: boolean): Promise<number> {
  await using driver = await TopologyTestDriver.open(topology());
  const before = cpuSeconds();
  if (asText) await pipe(driver.createInputTopic(topic('readings', { key: string(), value: bytes() })), texts);
  else await pipe(driver.createInputTopic(topic('readings', { key: string(), value: json<Reading>() })), readings);
  const used = cpuSeconds() - before;
  if (driver.createOutputTopic(topic('counts', { key: string(), value: json() })).queueSize !== RECORDS)
    throw new Error('the driver has not counted');
  return used;
}

function bareSeconds(): number {
  const before = cpuSeconds();
  bareLoop();
  return cpuSeconds() - before;
}

const measurements: readonly (readonly [name: string, seconds: () => number | Promise<number>])[] = [
  ['bare loop', bareSeconds],
  ['pipeList, text', () => driverSeconds(pipeList, true)],
  ['pipeList, objects', () => driverSeconds(pipeList, false)],
  ['pipeInput, text', () => driverSeconds(pipeInput, true)],
  ['pipeInput, objects', () => driverSeconds(pipeInput, false)],
];

const seconds = measurements.map((): number[] => []);
// The first round warms up.
for (let round = 0; round <= ROUNDS; round++) {
  for (const [i, [, measure]] of measurements.entries()) {
    const used = await measure();
    if (round > 0) (seconds[i] as number[]).push(used);
  }
}

const medians = seconds.map((all) => all.sort((a, b) => a - b)[all.length >> 1] as number);
for (const [i, [name]] of measurements.entries()) {
  const median = medians[i] as number;
  const perRecord = ((median / RECORDS) * 1e6).toFixed(2);
  console.log(`${name.padEnd(20)} ${perRecord} µs CPU per record   ${(median / (medians[0] as number)).toFixed(2)} × bare loop`);
}
