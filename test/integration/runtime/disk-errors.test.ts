import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { STEADY, TestApplication } from './test-application.ts';

/** So many that the rows of one round fill LevelDB's write buffer. */
const KEYS = 2000;
const WRITE_BUFFER_BYTES = 64 * 1024;
const ROUNDS_MAX = 30;
const ROUNDS_AFTER = 2;

/**
 * Which table of the database fails to reach the disk. Only LevelDB's background thread writes tables here, so it fails once, whatever
 * else the threads of the process bring to the disk; and the rows of the first round are in the tables before it.
 */
const FAILING_TABLE = 4;
/** More than the database makes in this test. */
const TABLES_MAX = 400;

/** Runs a program in which one table of the LevelDB in the directory cannot be written. */
function withFailingTable(directory: string): string[] {
  const tables = Array.from({ length: TABLES_MAX }, (_, number) => join(directory, `${String(number).padStart(6, '0')}.ldb`));
  return [
    'strace',
    // The worker stays the child of this process, and only the calls in question are stopped.
    ...['-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null'],
    ...tables.flatMap((path) => ['-P', path]),
    ...['-e', 'trace=fdatasync', '-e', `inject=fdatasync:error=EIO:when=${FAILING_TABLE}`],
  ];
}

const canTrace = spawnSync('strace', ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', 'true']).status === 0;
const reason = canTrace ? '' : ' (skipped: strace is missing, or may not trace)';

describeWithKafka('when the disk of the state reports an error', (brokers) => {
  it.skipIf(!canTrace)(
    `F15: closes the task, puts its state aside, restores it and counts once after EIO from fdatasync${reason}`,
    { timeout: 300_000 },
    async () => {
      await using application = await TestApplication.create({ brokers, partitions: 1, settings: STEADY });
      const through = withFailingTable(join(application.taskDirectory('0_0'), 'leveldb'));
      const worker = application.worker({}, { through, writeBufferBytes: WRITE_BUFFER_BYTES });
      await worker.running();
      const hasFailed = (): boolean => worker.logged('local state of a task has failed') !== undefined;
      let round = 0;
      const count = async (): Promise<void> => {
        round++;
        await application.cluster.write(application.input, numberedRecords(KEYS, 1, round));
        await application.drained();
      };
      while (!hasFailed() && round < ROUNDS_MAX) await count();
      expect(hasFailed(), worker.output).toBe(true);
      for (let after = 0; after < ROUNDS_AFTER; after++) await count();
      expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
      expect(worker.logged('state database failed'), worker.output).toMatchObject({
        error: { code: 'STATE_IO_FAILED', message: expect.stringMatching(/input\/output error/i) },
      });
      expect(existsSync(application.taskDirectory('0_0.corrupt-1'))).toBe(true);
      expect(worker.restoredRecords, worker.output).toBeGreaterThanOrEqual(KEYS);
      const changes = worker.events.filter(({ event }) => event === 'task').map(({ change }) => change);
      expect(changes).toEqual(['opened', 'closed', 'opened', 'closed']);
      const read = await application.cluster.read(application.output);
      expect(sorted(valuesByKey(read))).toEqual(sorted(countedOnce(KEYS, round)));
    },
  );
});
