import { median } from '../src/median.ts';

/**
 * Measures with each number of threads in turns. Prints one line of JSON per run, and the ratio of the medians of the last and the first
 * number.
 *
 * @param counts numbers of threads, between commas
 * @param rate the figure of a run that is compared
 */
export async function compareThreads<T extends object>(
  counts: string,
  runs: number,
  measure: (threads: number) => Promise<T>,
  rate: (result: T) => number,
): Promise<void> {
  const threads = counts.split(',').map(Number);
  const rates = new Map(threads.map((count) => [count, [] as number[]]));
  for (let run = 0; run < runs; run++) {
    for (const count of threads) {
      const result = await measure(count);
      console.log(JSON.stringify({ threads: count, ...result }));
      rates.get(count)?.push(rate(result));
    }
  }
  const medians = threads.map((count) => median(rates.get(count) ?? []));
  const ratio = Number(((medians.at(-1) ?? 0) / (medians[0] ?? 1)).toFixed(2));
  console.log(JSON.stringify({ threads, medians, ratio }));
}
