import { writeFileSync } from 'node:fs';
import { systemClock } from '@millrace/core';
import { soak } from './soak.ts';

/**
 * `npm run test:soak`: see docs/reliability.md. Ends with 1 and what is wrong.
 *
 * SOAK_MINUTES (30), SOAK_SEED (another one each time), SOAK_RATE (records a second, 300), KAFKA_BROKERS.
 */
async function main(): Promise<void> {
  const { SOAK_MINUTES = '30', SOAK_RATE = '300', SOAK_SEED = String(systemClock.nowMs() % 1_000_000) } = process.env;
  const { KAFKA_BROKERS } = process.env;
  const place = `.cache/soak/seed-${SOAK_SEED}`;
  console.log(
    `soak: ${SOAK_MINUTES} minutes, SOAK_SEED=${SOAK_SEED}, ${SOAK_RATE} records/s, ${KAFKA_BROKERS || 'development broker'}`,
  );
  console.log(`series: ${place}.jsonl, what the workers say: ${place}.log`);
  const { table, defects, log } = await soak({
    minutes: Number(SOAK_MINUTES),
    seed: Number(SOAK_SEED),
    recordsPerSecond: Number(SOAK_RATE),
    brokers: KAFKA_BROKERS || undefined,
    seriesPath: `${place}.jsonl`,
    say: (line) => console.log(`${new Date(systemClock.nowMs()).toISOString().slice(11, 19)} ${line}`),
  });
  writeFileSync(`${place}.log`, log);
  console.log(`\n${table}\n`);
  console.log(defects.length === 0 ? 'nothing is wrong' : defects.join('\n'));
  process.exitCode = defects.length === 0 ? 0 : 1;
}

await main();
