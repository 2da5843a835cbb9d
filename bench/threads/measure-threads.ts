/**
 * Measures how many records per second one process works through with different numbers of threads, when the work is that of user
 * code. Prints one line of JSON per run, and the ratio of the medians of the last and the first number.
 *
 *   node bench/dist/threads/measure-threads.js --brokers 127.0.0.1:9092 [--threads 1,2] [--runs 3] [--records 400000] [--rounds 20]
 *     [--guarantee exactly_once_v2] [--commit-ms 100]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { NO_HEADERS, silentLogger, systemClock, systemRandom } from '@millrace/core';
import { createKafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { startThreads } from 'millrace';
import { stderrLogger } from '../src/stderr-logger.ts';
import { compareThreads } from './compare-threads.ts';
import { BENCH_VARIABLE } from './topology.ts';

const PARTITIONS = 8;
const POLL_MS = 20;
/** Shares of the input between which is measured: not the warm-up, nor the end, where some threads have nothing left to do. */
const FROM = 0.2;
const TO = 0.8;

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    threads: { type: 'string', default: '1,2' },
    runs: { type: 'string', default: '3' },
    records: { type: 'string', default: '400000' },
    rounds: { type: 'string', default: '20' },
    guarantee: { type: 'string', default: 'exactly_once_v2' },
    'commit-ms': { type: 'string', default: '100' },
  },
});
const brokers = values.brokers.split(',');
const records = Number(values.records);
const name = `threads-bench-${process.pid}`;
const topics = { input: `${name}-in`, output: `${name}-out` };
process.env[BENCH_VARIABLE] = JSON.stringify({ ...topics, rounds: Number(values.rounds) });
const ports = { clock: systemClock, random: systemRandom, logger: silentLogger };
const client = createKafkaClient({ ...ports, clientId: 'bench', transport: createSocketTransport({ ...ports, brokers }) });

try {
  const topicOf = (topic: string) => ({ name: topic, partitions: PARTITIONS, replicationFactor: 1, configs: {} });
  await client.admin.createTopics([topicOf(topics.input), topicOf(topics.output)]);
  await fillInput();
  let run = 0;
  await compareThreads(
    values.threads,
    Number(values.runs),
    (threads) => measure(`${name}-${threads}-${run++}`, threads),
    ({ recordsPerSecond }) => recordsPerSecond,
  );
} finally {
  await client.admin.deleteTopics(Object.values(topics));
  await client.close();
}

async function fillInput(): Promise<void> {
  const producer = client.createProducer();
  const handle = await producer.topic(topics.input);
  for (let i = 0; i < records; i++) {
    const key = Buffer.from(`${i}`);
    producer.append(handle, i % PARTITIONS, i, key, 0, key.length, key, 0, key.length, NO_HEADERS);
    if (producer.backPressure) await producer.drained();
  }
  await producer.flush();
  await producer.close();
}

/** Between two commits, while every thread has work. */
async function measure(applicationId: string, threads: number) {
  const stateDir = mkdtempSync(join(tmpdir(), 'millrace-threads-'));
  const app = await startThreads(new URL('./topology.js', import.meta.url), {
    ...{ applicationId, brokers, stateDir, threads, logger: stderrLogger('warn') },
    ...{ guarantee: values.guarantee as 'exactly_once_v2' | 'at_least_once', commitIntervalMs: Number(values['commit-ms']) },
  });
  const from = await committedBeyond(applicationId, records * FROM);
  const cpu = process.cpuUsage();
  const to = await committedBeyond(applicationId, records * TO);
  const { user, system } = process.cpuUsage(cpu);
  await app.close();
  rmSync(stateDir, { recursive: true, force: true });
  const measured = to.committed - from.committed;
  const recordsPerSecond = Math.round((measured / (to.atMs - from.atMs)) * 1000);
  return { recordsPerSecond, cpuSecondsPerMillion: Math.round((user + system) / (measured / 100)) / 100 };
}

async function committedBeyond(groupId: string, count: number): Promise<{ committed: number; atMs: number }> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: topics.input, partition }));
  for (;;) {
    const offsets = await client.offsets.committed(groupId, partitions, AbortSignal.timeout(10_000));
    const committed = offsets.reduce((sum, { offset }) => sum + Math.max(0, offset), 0);
    if (committed > count) return { committed, atMs: systemClock.monotonicMs() };
    await systemClock.sleep(POLL_MS);
  }
}
