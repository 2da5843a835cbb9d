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
import { hashed } from './hashed.ts';
import { median } from '../src/median.ts';

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
  const counts = values.threads.split(',').map(Number);
  const rates = new Map(counts.map((threads) => [threads, [] as number[]]));
  for (let run = 0; run < Number(values.runs); run++) {
    for (const threads of counts) {
      const textsPerSecond = await measure(threads, order);
      console.log(JSON.stringify({ threads, textsPerSecond }));
      rates.get(threads)?.push(textsPerSecond);
    }
  }
  const medians = counts.map((threads) => median(rates.get(threads) ?? []));
  const ratio = Number(((medians.at(-1) ?? 0) / (medians[0] ?? 1)).toFixed(2));
  console.log(JSON.stringify({ threads: counts, medians, ratio }));
}

async function measure(threads: number, order: Order): Promise<number> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url), { workerData: order }));
  const answers = (await Promise.all(workers.map((worker) => once(worker, 'message')))) as [number][];
  return Math.round(answers.reduce((sum, [texts]) => sum + texts, 0) / (order.ms / 1000));
}

function textsHashed({ ms, rounds }: Order): number {
  const endMs = systemClock.monotonicMs() + ms;
  let texts = 0;
  for (; systemClock.monotonicMs() < endMs; texts++) hashed(`${texts}`, rounds);
  return texts;
}
