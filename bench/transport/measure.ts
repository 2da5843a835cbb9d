/**
 * One measurement in a process of its own; `run.ts` starts it. Prints one line of JSON.
 *
 *   taskset -c 0 node --conditions=@millrace/source --import tsx bench/transport/measure.ts \
 *     --transport socket|kafkajs --workload produce|fetch|rpc [--brokers 127.0.0.1:9092] [--records 1000000]
 */
import { parseArgs } from 'node:util';
import type { Transport } from '@millrace/client/lane';
import { createSocketTransport } from '@millrace/client/socket';
import { createKafkajsTransport } from '@millrace/transport-kafkajs';
import { type BenchTopic, createTopic, deleteTopic } from './topic.ts';
import { callMany, fetchRecords, produceRecords } from './workloads.ts';

const valueBytes = 100;
const calls = 5_000;
const warmUpRecords = 200_000;

const { values } = parseArgs({
  options: {
    transport: { type: 'string', default: 'socket' },
    workload: { type: 'string', default: 'produce' },
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    records: { type: 'string', default: '1000000' },
  },
});

const records = Number(values.records);
const create = values.transport === 'kafkajs' ? createKafkajsTransport : createSocketTransport;
const transport: Transport = create({ brokers: values.brokers.split(',') });

const workloads: Readonly<Record<string, (topic: BenchTopic) => Promise<object>>> = {
  produce: async (topic) => {
    await produceRecords(transport, topic, warmUpRecords, valueBytes);
    return perMillion(() => produceRecords(transport, topic, records, valueBytes));
  },
  fetch: async (topic) => {
    await produceRecords(transport, topic, records, valueBytes);
    await fetchRecords(transport, topic, Math.min(records, warmUpRecords));
    return perMillion(() => fetchRecords(transport, topic, records));
  },
  rpc: async (topic) => {
    await callMany(transport, topic, calls);
    let tookMs: number[] = [];
    const cost = await costOf(async () => {
      tookMs = await callMany(transport, topic, calls);
    });
    const at = (share: number): number => tookMs[Math.floor(share * calls)] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), cpuMicrosecondsPerCall: (cost.cpuSeconds * 1e6) / calls };
  },
};

async function perMillion(work: () => Promise<unknown>): Promise<object> {
  const { cpuSeconds, seconds } = await costOf(work);
  return { cpuSecondsPerMillion: (cpuSeconds * 1e6) / records, recordsPerSecond: records / seconds };
}

async function costOf(work: () => Promise<unknown>): Promise<{ cpuSeconds: number; seconds: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - start) / 1000 };
}

const workload = workloads[values.workload];
if (workload === undefined) throw new Error(`unknown workload ${values.workload}: produce, fetch or rpc`);
const topic = await createTopic(transport, 4);
const result = await workload(topic);
await deleteTopic(transport, topic);
await transport.close();
console.log(JSON.stringify({ transport: values.transport, workload: values.workload, ...result }));
