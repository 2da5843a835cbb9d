import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/core';

/** Processes that claim state directories at the same moment. They are gone when this goes out of scope. */
export class Claimants implements AsyncDisposable {
  readonly #processes: readonly ChildProcess[];

  private constructor(processes: readonly ChildProcess[]) {
    this.#processes = processes;
  }

  static async start(count: number): Promise<Claimants> {
    const path = fileURLToPath(new URL('./claimant-process.ts', import.meta.url));
    const execArgv = ['--conditions=@millrace/source', '--import', 'tsx'];
    const processes = Array.from({ length: count }, () => fork(path, { execArgv }));
    await Promise.all(processes.map((one) => once(one, 'message')));
    return new Claimants(processes);
  }

  /** Which directory each of them got. */
  async claim(root: string): Promise<string[]> {
    const answers = this.#processes.map((one) => once(one, 'message') as Promise<[string]>);
    const atMs = systemClock.nowMs() + 3;
    for (const one of this.#processes) one.send({ root, atMs });
    return (await Promise.all(answers)).map(([path]) => path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#processes.map((one) => {
        const gone = once(one, 'exit');
        one.kill('SIGKILL');
        return gone;
      }),
    );
  }
}
