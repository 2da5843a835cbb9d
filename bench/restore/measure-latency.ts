/**
 * Shows what a running task notices of another one on the same worker that restores its store: how late its records are, and how long
 * the loop stands still. Prints one line of JSON. Exit code 1: the loop stood still for longer than it may.
 *
 *   node bench/dist/restore/measure-latency.js --brokers 127.0.0.1:9092 [--records 2000000] [--value-bytes 100] [--stall-max-ms 50]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { NO_HEADERS, silentLogger, systemClock, systemRandom } from '@millrace/core';
import { createKafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { type RestoreProgress, start } from 'millrace';
import { stderrLogger } from '../src/stderr-logger.ts';
import { LoopStalls } from './loop-stalls.ts';
import { buildTopology, topicsOf } from './topology.ts';

const TICK_MS = 5;

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    records: { type: 'string', default: '2000000' },
    'value-bytes': { type: 'string', default: '100' },
    'stall-max-ms': { type: 'string', default: '50' },
  },
});
const brokers = values.brokers.split(',');
const applicationId = `restore-bench-${process.pid}`;
const { ticks, rows, changelog } = topicsOf(applicationId);
const ports = { clock: systemClock, random: systemRandom, logger: silentLogger };
const client = createKafkaClient({ ...ports, clientId: 'bench', transport: createSocketTransport({ ...ports, brokers }) });
const stateDir = mkdtempSync(join(tmpdir(), 'millrace-restore-'));

try {
  const topicOf = (name: string, configs = {}) => ({ name, partitions: 1, replicationFactor: 1, configs });
  await client.admin.createTopics([topicOf(ticks), topicOf(rows), topicOf(changelog, { 'cleanup.policy': 'compact' })]);
  await fillChangelog(Number(values.records), Number(values['value-bytes']));
  const result = await measure();
  console.log(JSON.stringify(result));
  if (result.loopMs.max > Number(values['stall-max-ms'])) process.exitCode = 1;
} finally {
  await client.admin.deleteTopics([ticks, rows, changelog]);
  await client.close();
  rmSync(stateDir, { recursive: true, force: true });
}

async function fillChangelog(records: number, valueBytes: number): Promise<void> {
  const producer = client.createProducer();
  const handle = await producer.topic(changelog);
  const value = Buffer.alloc(valueBytes, 'v');
  for (let i = 0; i < records; i++) {
    const key = Buffer.from(`key-${i}`);
    producer.append(handle, 0, i, key, 0, key.length, value, 0, value.length, NO_HEADERS);
    if (producer.backPressure) await producer.drained();
  }
  await producer.flush();
  await producer.close();
}

/** Runs the application; counts only what happens while the store is restored. */
async function measure() {
  const latenessMs: number[] = [];
  const loop = new LoopStalls();
  let isRestoring = false;
  let restored: RestoreProgress | undefined;
  let cpu = process.cpuUsage();
  const topology = buildTopology(applicationId, (sentMs) => {
    if (isRestoring) latenessMs.push(Date.now() - sentMs);
  });
  const ticker = new Worker(new URL('./ticker.js', import.meta.url), { workerData: { brokers, topic: ticks, everyMs: TICK_MS } });
  const logger = stderrLogger('warn');
  const app = await start(topology, {
    ...{ applicationId, brokers, stateDir, logger },
    restoreListener: {
      onRestoreStart() {
        isRestoring = true;
        cpu = process.cpuUsage();
        loop.start();
      },
      onRestoreEnd(progress) {
        loop.stop();
        isRestoring = false;
        cpu = process.cpuUsage(cpu);
        restored = progress;
      },
    },
  });
  await app.running();
  await app.close();
  await ticker.terminate();
  latenessMs.sort((a, b) => a - b);
  const late = (share: number): number => latenessMs[Math.min(latenessMs.length - 1, Math.floor(share * latenessMs.length))] ?? 0;
  return {
    records: restored?.restoredRecords,
    recordsPerSecond: Math.round(restored?.recordsPerSecond ?? 0),
    cpuSecondsPerMillion: Math.round((cpu.user + cpu.system) / ((restored?.restoredRecords ?? 1) / 100)) / 100,
    ticks: latenessMs.length,
    tickMs: { p50: late(0.5), p99: late(0.99), max: late(1) },
    loopMs: { p50: loop.at(0.5), p99: loop.at(0.99), p999: loop.at(0.999), max: loop.at(1) },
  };
}
