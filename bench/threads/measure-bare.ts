/**
 * What this machine makes of a second thread at best: the user code of `measure-threads.ts` in bare worker threads, without Kafka and
 * without Millrace. Prints one line of JSON per run, and the ratio of the medians of the last and the first number of threads.
 *
 *   node bench/dist/threads/measure-bare.js [--threads 1,2] [--runs 3] [--seconds 5] [--rounds 100]
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { systemClock } from '@millrace/core';
import { compareThreads } from './compare-threads.ts';
import { hashed } from './hashed.ts';

interface Order {
  readonly ms: number;
  readonly rounds: number;
}

if (isMainThread) await measureAll();
else parentPort?.postMessage(textsHashed(workerData as Order));

async function measureAll(): Promise<void> {
  const { values } = parseArgs({
    options: {
      threads: { type: 'string', default: '1,2' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '100' },
    },
  });
  const order = { ms: Number(values.seconds) * 1000, rounds: Number(values.rounds) };
  await compareThreads(
    values.threads,
    Number(values.runs),
    (threads) => measure(threads, order),
    ({ textsPerSecond }) => textsPerSecond,
  );
}

async function measure(threads: number, order: Order) {
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url), { workerData: order }));
  const answers = (await Promise.all(workers.map((worker) => once(worker, 'message')))) as [number][];
  return { textsPerSecond: Math.round(answers.reduce((sum, [texts]) => sum + texts, 0) / (order.ms / 1000)) };
}

function textsHashed({ ms, rounds }: Order): number {
  const endMs = systemClock.monotonicMs() + ms;
  let texts = 0;
  for (; systemClock.monotonicMs() < endMs; texts++) hashed(`${texts}`, rounds);
  return texts;
}
