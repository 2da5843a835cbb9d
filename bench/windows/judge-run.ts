/**
 * Judges a run of a windowed workload that the benchmark kit does not know: takes its result line, which the kit wrote under the
 * name of the workload that has the same input, and appends it to a file under its own name and with the verdict on its output.
 *
 *   node bench/dist/windows/judge-run.js --workload b3h --brokers 127.0.0.1:29092 --output app-out --result kit.jsonl --into all.jsonl
 *
 * Without `--result` it only prints the verdict. Exit code 1: the output is wrong.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createKafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { compareOutput, isRight } from './compare-output.ts';
import type { Expected } from './expected.ts';
import { ExpectedSessions } from './expected-sessions.ts';
import { ExpectedStatistics } from './expected-statistics.ts';
import { readTopic } from './read-topic.ts';

const workloads: Readonly<{ [name: string]: { readonly input: string; expect(): Expected } }> = {
  b3: { input: 'b3-in', expect: () => new ExpectedStatistics(60_000, 60_000) },
  b3h: { input: 'b3-in', expect: () => new ExpectedStatistics(60_000, 20_000) },
  b3s: { input: 'b2a-in', expect: () => new ExpectedSessions(10_000, 10_000) },
};

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: '' },
    brokers: { type: 'string', default: '127.0.0.1:29092' },
    output: { type: 'string', default: '' },
    result: { type: 'string' },
    into: { type: 'string' },
  },
});

async function judge(): Promise<{ readonly verified: boolean; readonly check: object }> {
  const workload = workloads[values.workload];
  if (workload === undefined) throw new Error(`--workload ${values.workload}: give one of ${Object.keys(workloads).join(', ')}`);
  const client = createKafkaClient({ transport: createSocketTransport({ brokers: values.brokers.split(',') }) });
  try {
    const expected = workload.expect();
    const inputRecords = await readTopic(client, workload.input, (key, value, timestamp, partition) =>
      expected.add(key, value ?? '', timestamp, partition),
    );
    const last = new Map<string, string | undefined>();
    const outputRecords = await readTopic(client, values.output, (key, value) => last.set(key, value));
    const comparison = compareOutput(last, expected);
    return { verified: isRight(comparison), check: { inputRecords, outputRecords, late: expected.dropped, ...comparison } };
  } finally {
    await client.close();
  }
}

const verdict = await judge();
if (values.result === undefined) {
  console.log(JSON.stringify(verdict));
} else {
  const run = JSON.parse(readFileSync(values.result, 'utf8')) as { readonly inputRecords?: number };
  const line = JSON.stringify({ ...run, workload: values.workload, ...verdict });
  console.log(line);
  if (values.into !== undefined) appendFileSync(values.into, `${line}\n`);
}
process.exitCode = verdict.verified ? 0 : 1;
