import { expect, it } from 'vitest';
import { silentLogger } from '@millrace/core';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { StallWatchdog } from './stall-watchdog.ts';
import { ThreadPulse } from './thread-pulse.ts';

it('warns once of a thread that stands still, with the task that has the turn, and says when it goes on', async () => {
  const clock = new ManualClock();
  const [stalled, healthy, loading] = [1, 2, 3].map(() => new ThreadPulse(ThreadPulse.memory())) as [
    ThreadPulse,
    ThreadPulse,
    ThreadPulse,
  ];
  const lines: unknown[] = [];
  const watchdog = new StallWatchdog({
    clock,
    logger: { ...silentLogger, warn: (message, fields) => lines.push([message.slice(0, 40), fields]) },
    stallMs: 1000,
    threads: () => [stalled, healthy, loading].map((pulse, index) => ({ thread: index + 1, pulse })),
  });
  stalled.beat();
  healthy.beat();
  watchdog.start();
  stalled.turn({ subtopology: 1, partition: 4 });
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 250) {
      healthy.beat();
      await clock.advance(250);
    }
  };
  await pass(1000);
  expect(lines).toEqual([]);
  await pass(2000);
  expect(lines).toEqual([['the event loop of a thread does not turn', { thread: 1, forMs: 1250, taskId: '1_4' }]]);
  stalled.turn(undefined);
  stalled.beat();
  await pass(250);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatchObject([expect.any(String), { thread: 1 }]);
  watchdog.stop();
});
