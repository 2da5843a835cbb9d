import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';

/** Turns the bits of every 16th byte of the files that hold rows. */
function damage(directory: string): void {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(log|ldb)$/.test(name));
  expect(files).not.toEqual([]);
  for (const name of files) {
    const bytes = readFileSync(join(directory, name));
    for (let at = 0; at < bytes.length; at += 16) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(join(directory, name), bytes);
  }
}

describeWithKafka('a damaged state directory', (brokers) => {
  it('is put aside, and the state restored from the changelog', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 1 });
    const { cluster, input, output } = application;
    await cluster.write(input, numberedRecords(20, 10));
    const first = application.worker();
    await application.drained();
    await first.stop();
    const directory = application.taskDirectory('0_0');
    damage(directory);

    await cluster.write(input, numberedRecords(20, 10, 11));
    const second = application.worker();
    await second.running();
    await application.drained();
    expect(await second.stop(), second.output).toEqual({ code: 0, signal: null });
    expect(second.restoredRecords, second.output).toBeGreaterThanOrEqual(20);
    expect(readdirSync(dirname(directory)).filter((name) => name.startsWith('0_0')).length).toBeGreaterThan(1);
    expect(sorted(valuesByKey(await cluster.read(output))), application.log).toEqual(sorted(countedOnce(20, 20)));
  });
});
