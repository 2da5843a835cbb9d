import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { FailingFileSystem } from './failing-file-system.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';

const KEYS = 10;

function canFail(): boolean {
  using probe = FailingFileSystem.create();
  return probe !== undefined;
}

const possible = canFail();
const reason = possible ? '' : ' (needs the right to mount ext4 from a file, and to make it fail)';

describeWithKafka('when the file system of the state becomes read-only', (brokers) => {
  it.skipIf(!possible)(
    `F15: the worker ends with an error that says where, and another one goes on and counts once${reason}`,
    { timeout: 300_000 },
    async () => {
      using files = FailingFileSystem.create();
      if (files === undefined) throw new Error('the file system that could be made a moment ago cannot be made');
      await using application = await TestApplication.create({ brokers, partitions: 2 });
      const worker = application.worker({ stateDir: files.path });
      await worker.running();
      await application.cluster.write(application.input, numberedRecords(KEYS, 5));
      await application.drained();
      files.fail();
      // State is written after the commit: the first commit that follows still succeeds.
      await application.cluster.write(application.input, numberedRecords(KEYS, 1, 6));
      expect((await worker.ended).code, worker.output).toBe(1);
      const failure = worker.events.findLast(({ event }) => event === 'ended')?.failure;
      expect(failure, worker.output).toMatchObject({ code: 'STATE_DIRECTORY', message: expect.stringContaining(files.path) });
      const again = application.worker({ stateDir: files.path });
      expect((await again.ended).code, again.output).toBe(1);
      expect(again.output).toContain(`EROFS`);
      expect(again.output).toContain('STATE_DIRECTORY');

      const other = application.worker();
      await other.running();
      await application.cluster.write(application.input, numberedRecords(KEYS, 5, 7));
      await application.drained();
      const read = await application.cluster.read(application.output);
      expect(sorted(valuesByKey(read)), application.log).toEqual(sorted(countedOnce(KEYS, 11)));
      expect(await other.stop(), other.output).toEqual({ code: 0, signal: null });
    },
  );
});
