import { describe, expect, it } from 'vitest';
import { CancelledError, RetriableError, silentLogger } from '@millrace/core';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { FullDisk } from './full-disk.ts';

const never = new AbortController().signal;

class Stage {
  readonly clock = new ManualClock();
  readonly calls: string[] = [];
  hasRoom = false;
  failure: Error | undefined;
  readonly disk = new FullDisk({
    clock: this.clock,
    logger: silentLogger,
    member: { leave: async (reason) => void this.calls.push(`leave: ${reason}`) },
    manager: {
      giveUpAll: async () => void this.calls.push('give up all'),
      hasRoom: async (taskId) => {
        this.calls.push(`ask for room for ${taskId}`);
        return this.hasRoom;
      },
    },
    committer: {
      rollback: async () => {
        this.calls.push('abort');
        if (this.failure !== undefined) throw this.failure;
      },
      restart: async () => void this.calls.push('restart'),
    },
  });

  /** Has no room for so long, asked every so often; says whether others should have the tasks in the end. */
  async fullFor(forMs: number, everyMs = 500): Promise<boolean> {
    let handsOver = this.disk.failed();
    for (let ms = 0; ms < forMs; ms += everyMs) {
      await this.clock.advance(everyMs);
      handsOver = this.disk.failed();
    }
    return handsOver;
  }

  /** Hands the tasks over and comes back as soon as there is room; how long that took, ms. */
  async away(): Promise<number> {
    await this.disk.handOver('0_1');
    const from = this.clock.monotonicMs();
    this.hasRoom = true;
    let isBack = false;
    void this.disk.comeBack('0_1', never).then(() => (isBack = true));
    await this.clock.settle();
    while (!isBack) await this.clock.advance(1000);
    return this.clock.monotonicMs() - from;
  }
}

describe('a full disk', () => {
  it('is waited for with the tasks at first', async () => {
    expect(await new Stage().fullFor(500)).toBe(false);
  });

  it('costs the worker its tasks when it stays full', async () => {
    expect(await new Stage().fullFor(1000)).toBe(true);
  });

  it('is waited for anew when it had room in between', async () => {
    const stage = new Stage();
    await stage.fullFor(500);
    await stage.clock.advance(10_001);
    expect(stage.disk.failed()).toBe(false);
  });

  it('ends the open transaction before the tasks are given up, and the membership after it', async () => {
    const stage = new Stage();
    await stage.disk.handOver('0_1');
    expect(stage.calls).toEqual(['abort', 'give up all', 'leave: its disk has no room for state']);
  });

  it('gives nothing up while the transaction cannot be ended', async () => {
    const stage = new Stage();
    stage.failure = new RetriableError('X', 'the broker is away');
    await expect(stage.disk.handOver('0_1')).rejects.toBe(stage.failure);
    expect(stage.calls).toEqual(['abort']);
  });

  it('is asked for room until it has some, and only then the producer begins again', async () => {
    const stage = new Stage();
    const back = stage.disk.comeBack('0_1', never);
    await stage.clock.advance(5000);
    stage.hasRoom = true;
    await stage.clock.advance(2000);
    await back;
    expect(stage.calls).toEqual([...Array.from({ length: 3 }, () => 'ask for room for 0_1'), 'restart']);
  });

  it('keeps a worker away for longer each time when it is full again soon after', async () => {
    const stage = new Stage();
    const times: number[] = [];
    for (let round = 0; round < 6; round++) times.push(await stage.away());
    expect(times).toEqual([2000, 8000, 32_000, 128_000, 300_000, 300_000]);
  });

  it('is forgiven after a long time with room', async () => {
    const stage = new Stage();
    await stage.away();
    await stage.away();
    await stage.clock.advance(300_000);
    expect(await stage.away()).toBe(2000);
  });

  it('does not keep a worker that is told to stop', async () => {
    const stop = AbortSignal.abort();
    const disk = new FullDisk({
      clock: {
        sleep: (_ms: number, signal?: AbortSignal) => (signal?.aborted === true ? Promise.reject(new CancelledError()) : never),
      },
    } as unknown as ConstructorParameters<typeof FullDisk>[0]);
    await expect(disk.comeBack('0_1', stop)).rejects.toThrow(CancelledError);
  });
});
