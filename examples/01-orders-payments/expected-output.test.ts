import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Report } from './report.ts';
import { runInDriver } from './run-in-driver.ts';

it('prints what expected-output.txt says', async () => {
  const lines: string[] = [];
  const isRight = await runInDriver(new Report((line) => lines.push(line), false), async () => undefined);
  expect(`${lines.join('\n')}\n`).toBe(readFileSync(new URL('./expected-output.txt', import.meta.url), 'utf8'));
  expect(isRight).toBe(true);
});
