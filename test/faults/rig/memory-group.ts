import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@millrace/core';

/** Where the memory controller is, and what it calls its limit: cgroup v2, then v1. */
const HOMES = [
  { root: '/sys/fs/cgroup', limit: 'memory.max' },
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
] as const;
const EMPTY_WITHIN_MS = 5000;

/** A control group: the kernel kills whoever in it has more memory than its limit, its share of the page cache included. */
export class MemoryGroup implements AsyncDisposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @returns undefined where this process may not make one: that takes root, and a writable hierarchy */
  static create(name: string, limitBytes: number): MemoryGroup | undefined {
    for (const { root, limit } of HOMES) {
      const path = join(root, name);
      try {
        mkdirSync(path);
        if (existsSync(join(path, limit))) {
          writeFileSync(join(path, limit), String(limitBytes));
          return new MemoryGroup(path);
        }
        rmdirSync(path);
      } catch {
        // The next one, or none.
      }
    }
    return undefined;
  }

  add(pid: number): void {
    writeFileSync(join(this.#path, 'cgroup.procs'), String(pid));
  }

  /** Waits for the end of the processes in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const deadline = systemClock.monotonicMs() + EMPTY_WITHIN_MS;
    for (;;) {
      try {
        return rmdirSync(this.#path);
      } catch (error) {
        if (systemClock.monotonicMs() > deadline) throw error;
        await systemClock.sleep(50);
      }
    }
  }
}
