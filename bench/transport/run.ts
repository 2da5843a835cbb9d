/**
 * Compares the transports: client CPU for producing and fetching a million records of 100 bytes, and the latency of small
 * requests, against a running Kafka. Every figure is the median of several processes; the transports take turns, so that both
 * see the same machine.
 *
 *   npm run kafka:start -- --port 9092
 *   node --conditions=@millrace/source --import tsx bench/transport/run.ts [--brokers 127.0.0.1:9092] [--runs 5] [--cpu 0]
 *
 * --cpu pins each measuring process with taskset (Linux); leave it out elsewhere.
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../src/median.ts';

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    runs: { type: 'string', default: '5' },
    records: { type: 'string', default: '1000000' },
    cpu: { type: 'string' },
  },
});

const transports = ['socket', 'kafkajs'] as const;
const workloads = ['produce', 'fetch', 'rpc'] as const;
const program = fileURLToPath(new URL('measure.ts', import.meta.url));

function measure(transport: string, workload: string): Record<string, unknown> {
  const node = ['--conditions=@millrace/source', '--import', 'tsx', program];
  const options = ['--transport', transport, '--workload', workload, '--brokers', values.brokers, '--records', values.records];
  const command = [process.execPath, ...node, ...options];
  const [file = '', ...args] = values.cpu === undefined ? command : ['taskset', '-c', values.cpu, ...command];
  return JSON.parse(execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as Record<
    string,
    unknown
  >;
}

const figures = new Map<string, number[]>();
for (let run = 0; run < Number(values.runs); run++) {
  for (const workload of workloads) {
    for (const transport of transports) {
      for (const [figure, value] of Object.entries(measure(transport, workload))) {
        if (typeof value !== 'number') continue;
        const name = `${workload} ${figure} ${transport}`;
        figures.set(name, [...(figures.get(name) ?? []), value]);
      }
    }
  }
}

console.log(`${cpus()[0]?.model}, ${cpus().length} CPUs, Node ${process.version}, ${values.runs} runs each\n`);
console.log('| workload | figure | transport | median | lowest | highest |\n|---|---|---|---|---|---|');
for (const [name, numbers] of figures) {
  const row = [
    ...name.split(' '),
    ...[median(numbers), Math.min(...numbers), Math.max(...numbers)].map((one) => one.toPrecision(3)),
  ];
  console.log(`| ${row.join(' | ')} |`);
}
