import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { shareTasks } from './shared-work.ts';
import { STEADY, TestApplication } from './test-application.ts';

const KEYS = 20;
const TASKS = ['0_0', '0_1', '0_2', '0_3'];

describeWithKafka('the local state of tasks that have moved away', (brokers) => {
  it('is deleted after the delay, that of the others is kept, and tasks that come back restore all', async () => {
    await using application = await TestApplication.create({ brokers, settings: { stateCleanupDelayMs: 1000, ...STEADY } });
    const first = application.worker();
    await application.cluster.write(application.input, numberedRecords(KEYS, 5));
    await application.drained();
    const onDisk = (): string[] => TASKS.filter((taskId) => existsSync(application.taskDirectory(taskId)));
    expect(onDisk()).toEqual(TASKS);
    const second = application.worker();
    await shareTasks(TASKS.length, [first, second]);
    await expect.poll(onDisk, { timeout: 60_000 }).toEqual(first.tasks);
    await first.until((one) => one.logged('deleted the local state') !== undefined);
    await application.cluster.write(application.input, numberedRecords(KEYS, 5, 6));
    await application.drained();
    expect(await second.stop(), second.output).toEqual({ code: 0, signal: null });
    await shareTasks(TASKS.length, [first]);
    expect(first.restoredRecords, first.output).toBeGreaterThan(0);
    await application.cluster.write(application.input, numberedRecords(KEYS, 5, 11));
    await application.drained();
    expect(await first.stop(), first.output).toEqual({ code: 0, signal: null });
    expect(sorted(valuesByKey(await application.cluster.read(application.output))), application.log).toEqual(
      sorted(countedOnce(KEYS, 15)),
    );
  });
});
