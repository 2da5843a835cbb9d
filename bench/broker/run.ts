/**
 * What the development broker costs: CPU per record beside that of its client, memory of many topics, time to start.
 *
 *   npm run bench:broker
 *
 * The client is bench/transport/measure.ts in a process of its own, over a plain socket.
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startBroker } from '@millrace/broker';
import { createSocketTransport } from '@millrace/client/socket';
import { createTopics, encodeRequest } from '@millrace/wire';

const records = 1_000_000;
/** What the client writes or reads first, to get warm; it does not count it itself. */
const warmUpRecords = 200_000;
const topics = 1000;
const partitions = 10;
const mebibyte = 1024 * 1024;
const client = fileURLToPath(new URL('../transport/measure.ts', import.meta.url));

interface Cost {
  readonly client: number;
  readonly broker: number;
}

/** CPU of the client per record, and of this process for the whole run, in microseconds. */
async function run(workload: 'produce' | 'fetch'): Promise<Cost> {
  await using broker = await startBroker();
  const node = ['--conditions=@millrace/source', '--import', 'tsx', client];
  const options = ['--workload', workload, '--brokers', broker.bootstrapServers, '--records', String(records)];
  const before = process.cpuUsage();
  const { stdout } = await promisify(execFile)(process.execPath, [...node, ...options]);
  const { user, system } = process.cpuUsage(before);
  const { cpuSecondsPerMillion } = JSON.parse(stdout) as { cpuSecondsPerMillion: number };
  return { client: cpuSecondsPerMillion, broker: user + system };
}

async function measureRecords(): Promise<void> {
  const produce = await run('produce');
  const perWrite = produce.broker / (records + warmUpRecords);
  print('produce', produce.client, perWrite);
  const fetch = await run('fetch');
  // That run has written its records first.
  print('fetch', fetch.client, (fetch.broker - records * perWrite) / (records + warmUpRecords));
}

function print(workload: string, ofClient: number, ofBroker: number): void {
  const figures = `client ${ofClient.toFixed(2)} µs, broker ${ofBroker.toFixed(2)} µs of CPU per record of 100 bytes`;
  console.log(`${workload}: ${figures}; broker / client ${(ofBroker / ofClient).toFixed(2)} (goal: 2 at most)`);
}

async function measureTopics(): Promise<void> {
  await using broker = await startBroker();
  const transport = createSocketTransport({ brokers: [broker.bootstrapServers] });
  const before = process.memoryUsage.rss();
  for (let at = 0; at < topics; at += 100) {
    const asked = Array.from({ length: 100 }, (_, i) => ({
      name: `t${at + i}`,
      numPartitions: partitions,
      replicationFactor: 1,
    }));
    const body = encodeRequest(createTopics, 7, { topics: asked });
    await transport.send('any', { apiKey: 19, apiVersion: 7, flexible: true, body, lane: 'admin', timeoutMs: 30_000 });
  }
  await transport.close();
  const grown = (process.memoryUsage.rss() - before) / mebibyte;
  console.log(`${topics} topics of ${partitions} partitions: ${grown.toFixed(0)} MiB (goal: below 300)`);
}

async function measureStart(): Promise<void> {
  const tookMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const broker = await startBroker();
    tookMs.push(performance.now() - start);
    await broker.stop();
  }
  const [first = Number.NaN, ...later] = tookMs;
  console.log(`start: ${first.toFixed(1)} ms, later ${Math.max(...later).toFixed(1)} ms at most (goal: below 200)`);
}

console.log(`${cpus()[0]?.model}, ${cpus().length} CPUs, Node ${process.version}`);
await measureStart();
await measureTopics();
await measureRecords();
