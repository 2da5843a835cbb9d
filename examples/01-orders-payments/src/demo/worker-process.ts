import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/core';
import { STOP, type WorkerOrders, type WorkerReport } from '../worker/orders.ts';
import { StartError } from './start-error.ts';

/** TypeScript when this runs from the sources, JavaScript when it has been built. */
const PROGRAM = fileURLToPath(new URL(`../worker/main${extname(import.meta.url)}`, import.meta.url));
/** Enough for the stack of an error. */
const ERROR_TEXT_MAX = 4000;
const STOP_TIMEOUT_MS = 5000;

/** A worker as a process of its own, which can be killed. */
export class WorkerProcess implements AsyncDisposable {
  readonly name: string;
  /** Resolves when the process is gone. */
  readonly ended: Promise<unknown>;
  /** Set when the process ended although nobody wanted it. */
  failure: StartError | undefined;
  readonly #child: ChildProcess;
  #report: WorkerReport = { state: 'created', transactions: 0 };
  #wish: 'run' | 'stop' | 'die' = 'run';
  #errorText = '';

  /** @param onFailure is called when the process ends although nobody wanted it */
  constructor(orders: WorkerOrders, onFailure: () => void) {
    this.name = orders.name;
    this.#child = fork(PROGRAM, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
    this.#child.on('message', (message) => {
      this.#report = message as WorkerReport;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-ERROR_TEXT_MAX);
    });
    this.ended = this.#watch(onFailure);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** What it says of itself, or what is known about its end. */
  get state(): WorkerReport['state'] | 'killed' | 'stopped' {
    if (this.#wish === 'die') return 'killed';
    return this.#isGone() ? 'stopped' : this.#report.state;
  }

  get transactions(): number {
    return this.#report.transactions;
  }

  /** SIGKILL: the process gets no chance to finish, commit or say anything. */
  async kill(): Promise<void> {
    this.#wish = 'die';
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to commit and leave; kills it when that takes too long. */
  async stop(): Promise<void> {
    if (this.#wish === 'run') this.#wish = 'stop';
    if (this.#isGone()) return;
    if (this.#child.connected) this.#child.send(STOP);
    const cancel = systemClock.setTimer(STOP_TIMEOUT_MS, () => this.#child.kill('SIGKILL'));
    await this.ended;
    cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #watch(onFailure: () => void): Promise<void> {
    let reason: string;
    try {
      const [code, signal] = (await once(this.#child, 'close')) as [number | null, NodeJS.Signals | null];
      reason = signal ?? `exit code ${code}`;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    if (this.#wish !== 'run') return;
    this.failure = new StartError(`${this.name} has ended (${reason})\n${this.#errorText}`.trimEnd());
    onFailure();
  }
}
