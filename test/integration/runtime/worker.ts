import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Asked } from './asking.ts';
import type { WorkerOrders } from './worker-process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = 'test/integration/runtime/worker-process.ts';

/** One line of a worker; which fields there are depends on the event. */
export interface WorkerEvent {
  readonly event: 'state' | 'task' | 'restoring' | 'restored' | 'standby' | 'thread' | 'asked' | 'log' | 'ended';
  readonly atMs: number;
  readonly state?: string;
  readonly change?: 'opened' | 'closed';
  /** Of a thread that was added or removed. */
  readonly added?: number;
  readonly removed?: number;
  /** Of a log line, or a task, where the application has threads. */
  readonly thread?: number;
  readonly taskId?: string;
  readonly restoredRecords?: number;
  readonly currentOffset?: number;
  readonly asked?: Asked;
  readonly level?: string;
  readonly message?: string;
  readonly failure?: { readonly code?: string; readonly message: string; readonly topic?: string; readonly offset?: number };
}

/** A worker in a process of its own. Killed, if it still runs, when it goes out of scope. */
export class Worker implements AsyncDisposable {
  readonly events: WorkerEvent[] = [];
  /** Exit code and signal, as soon as it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  /** It has ended, and all that it had printed is here. */
  #hasEnded = false;
  #errors = '';

  constructor(orders: WorkerOrders) {
    const command = [process.execPath, '--conditions=@millrace/source', '--import', 'tsx', PROGRAM, JSON.stringify(orders)];
    const [program = '', ...args] = [...(orders.through ?? []), ...command];
    this.#child = spawn(program, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#read(line);
      this.#wake();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#hasEnded = true;
      this.#wake();
      return { code, signal };
    });
  }

  /** The state of the application as last heard. */
  get state(): string {
    return this.events.findLast(({ event }) => event === 'state')?.state ?? 'unknown';
  }

  /** Ids of the tasks that it runs. */
  get tasks(): string[] {
    const open = new Set<string>();
    for (const { event, change, taskId } of this.events) {
      if (event !== 'task' || taskId === undefined) continue;
      if (change === 'opened') open.add(taskId);
      else open.delete(taskId);
    }
    return [...open].sort();
  }

  /** Records restored so far, over all stores. */
  get restoredRecords(): number {
    return this.events.reduce((sum, { restoredRecords }) => sum + (restoredRecords ?? 0), 0);
  }

  /** How far the standby tasks have got in the changelog of their only store, by task. */
  get standbyOffsets(): Map<string, number> {
    const applied = this.events.filter(({ event }) => event === 'standby');
    return new Map(applied.map(({ taskId = '', currentOffset = 0 }) => [taskId, currentOffset]));
  }

  /** What has come of all that it has asked its stores. */
  get asked(): Asked {
    const all: Asked = { seen: [], answers: 0, scans: 0, torn: 0, forgotten: 0, refused: {}, owners: [] };
    for (const { asked } of this.events) {
      if (asked === undefined) continue;
      all.seen.push(...asked.seen);
      all.answers += asked.answers;
      all.scans += asked.scans;
      all.torn += asked.torn;
      all.forgotten += asked.forgotten;
      for (const [code, count] of Object.entries(asked.refused)) all.refused[code] = (all.refused[code] ?? 0) + count;
      for (const owner of asked.owners) if (!all.owners.includes(owner)) all.owners.push(owner);
    }
    return all;
  }

  /** The first log line with this text. */
  logged(text: string): WorkerEvent | undefined {
    return this.events.find(({ event, message }) => event === 'log' && message?.includes(text) === true);
  }

  /** Waits until the worker has reported what fulfils the condition. @throws Error when it ends before */
  async until(condition: (worker: this) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.#hasEnded) throw new Error(`the worker has ended before:\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  running(): Promise<void> {
    return this.until(({ state }) => state === 'running');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to stop, as soon as it can be asked, and waits for that. */
  async stop(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    // Before it has told its state it does not listen yet, and would end by the signal. If it has ended, that is said below.
    await this.until(({ state }) => state !== 'unknown').catch(() => undefined);
    this.signal('SIGTERM');
    return this.ended;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Everything that it has printed, for the messages of failed tests. */
  get output(): string {
    return `${this.events.map((event) => JSON.stringify(event)).join('\n')}\n${this.#errors}`;
  }

  /** Of a worker that is killed while it prints, the last line may be half of one. */
  #read(line: string): void {
    try {
      this.events.push(JSON.parse(line) as WorkerEvent);
    } catch {
      this.#errors += `${line}\n`;
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
