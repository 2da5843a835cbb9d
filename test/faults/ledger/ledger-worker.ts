import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/core';
import type { WorkerEvidence } from '../../oracle/evidence/evidence.ts';
import { KeptAnswers } from './kept-answers.ts';
import type { LedgerOrders } from './ledger-process.ts';
import { RELEASE } from './obedience.ts';
import type { StoreAnswer } from './store-asker.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = 'test/faults/ledger/ledger-process.ts';
/** Far more than anything takes: only a worker that does not do what it should is waited for so long. */
const WAIT_MS = 120_000;

/** One line of a worker; which fields there are depends on the event. */
export interface LedgerEvent {
  readonly event: 'state' | 'task' | 'restoring' | 'restored' | 'log' | 'obeying' | 'sample' | 'unhandled' | 'answered' | 'ended';
  readonly atMs: number;
  readonly state?: string;
  readonly change?: 'opened' | 'closed';
  readonly taskId?: string;
  readonly restoredRecords?: number;
  readonly level?: string;
  readonly message?: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly order?: string;
  readonly text?: string;
  readonly rssBytes?: number;
  readonly heapUsedBytes?: number;
  readonly externalBytes?: number;
  readonly fileDescriptors?: number;
  /** Sockets, timers and the like that keep the event loop alive. */
  readonly handles?: number;
  readonly droppedRecords?: number;
  readonly leftOpen?: readonly string[];
  readonly stalledForMs?: number;
  /** Of a log line. */
  readonly error?: { readonly code?: string; readonly message: string };
  readonly failure?: { readonly code?: string; readonly message: string; readonly topic?: string; readonly offset?: number };
}

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A worker of the ledger in a process of its own. Killed, if it still runs, when it goes out of scope. */
export class LedgerWorker implements AsyncDisposable {
  readonly name: string;
  readonly stateDir: string;
  readonly events: LedgerEvent[] = [];
  readonly ended: Promise<End>;
  /** How it has to end; tests that want another end say so. */
  expectedEnd: WorkerEvidence['expectedEnd'] = 'clean';
  readonly #child: ChildProcess;
  readonly #listen: (event: LedgerEvent) => void;
  readonly #waiting = new Set<() => void>();
  readonly #answers = new KeptAnswers();
  readonly #spawnedAtMs = systemClock.nowMs();
  #errors = '';
  #end: End | undefined;
  #endedAtMs = 0;

  /** @param listen hears every event as it comes */
  constructor(name: string, orders: LedgerOrders, listen: (event: LedgerEvent) => void = () => undefined) {
    this.name = name;
    this.#listen = listen;
    this.stateDir = orders.settings.stateDir ?? '';
    const heap = orders.heapMaxMib === undefined ? [] : [`--max-old-space-size=${orders.heapMaxMib}`];
    const args = [...heap, '--conditions=@millrace/source', '--import', 'tsx', PROGRAM, JSON.stringify(orders)];
    this.#child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#hear(line));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
      this.#wake();
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#end = { code, signal };
      this.#endedAtMs = systemClock.nowMs();
      this.#wake();
      return this.#end;
    });
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The state of the application as last heard. */
  get state(): string {
    return this.events.findLast(({ event }) => event === 'state')?.state ?? 'unknown';
  }

  /** When it last opened each task that it ever had. */
  get openings(): Map<string, number> {
    return this.#tasks(false);
  }

  /** The tasks that it has now. */
  get openTasks(): Map<string, number> {
    return this.#tasks(true);
  }

  #tasks(openOnly: boolean): Map<string, number> {
    const opened = new Map<string, number>();
    for (const { event, change, taskId, atMs } of this.events) {
      if (event !== 'task' || taskId === undefined) continue;
      if (change === 'opened') opened.set(taskId, atMs);
      else if (openOnly) opened.delete(taskId);
    }
    return opened;
  }

  get restoredRecords(): number {
    return this.events.reduce((sum, { restoredRecords }) => sum + (restoredRecords ?? 0), 0);
  }

  /** How long the process took until its program had begun; infinite before. Node and its loader, which no fault concerns. */
  get startedAfterMs(): number {
    const begun = this.events.find(({ event }) => event === 'state');
    return begun === undefined ? Infinity : begun.atMs - this.#spawnedAtMs;
  }

  /** What its last order was to wait for has come. */
  release(): void {
    mkdirSync(this.stateDir, { recursive: true });
    writeFileSync(join(this.stateDir, RELEASE), '');
  }

  /** The orders that it has obeyed, or is about to. */
  get orders(): LedgerEvent[] {
    return this.events.filter(({ event }) => event === 'obeying');
  }

  get isObeying(): boolean {
    return this.orders.length > 0;
  }

  /** Why the application has ended, in its own words. */
  get failure(): LedgerEvent['failure'] {
    return this.events.findLast(({ event }) => event === 'ended')?.failure;
  }

  /** @param sinceMs not what it said before */
  logged(text: string, sinceMs = 0): LedgerEvent | undefined {
    return this.events.find(({ event, message, atMs }) => event === 'log' && atMs >= sinceMs && message?.includes(text) === true);
  }

  /** How often it has gone into a rebalance since that moment. */
  rebalancesSince(atMs: number): number {
    return this.events.filter(({ event, state, atMs: at }) => event === 'state' && state === 'rebalancing' && at > atMs).length;
  }

  /** Waits until the worker has reported what fulfils the condition. @throws Error when it ends before, or takes too long */
  async until(what: string, condition: (worker: this) => boolean): Promise<void> {
    const giveUp = new Error(`${this.name} was to be ${what}`);
    let isLate = false;
    const cancel = systemClock.setTimer(WAIT_MS, () => {
      isLate = true;
      this.#wake();
    });
    try {
      while (!condition(this)) {
        if (this.#end !== undefined || isLate) throw new Error(`${giveUp.message}:\n${this.output}`, { cause: giveUp });
        await new Promise<void>((resolve) => {
          this.#waiting.add(resolve);
        });
      }
    } finally {
      cancel();
    }
  }

  running(): Promise<void> {
    return this.until('running', ({ state }) => state === 'running');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What it has said about its stores, a bounded part of it. */
  get answers(): StoreAnswer[] {
    return this.#answers.all;
  }

  /** Asks it for all stores that it has now. Resolves when it has answered. @throws Error when it ends before, or takes too long */
  async askAll(): Promise<void> {
    const answered = (): number => this.events.filter(({ event }) => event === 'answered').length;
    const before = answered();
    await this.#started();
    this.signal('SIGUSR2');
    await this.until('asked', () => answered() > before);
  }

  /** Before that it does not hear signals. */
  #started(): Promise<void> {
    return this.until('started', ({ state }) => state !== 'unknown');
  }

  async stop(): Promise<End> {
    if (this.isAlive) await this.#started();
    this.signal('SIGTERM');
    return this.ended;
  }

  async kill(): Promise<void> {
    this.expectedEnd = 'killed';
    this.signal('SIGKILL');
    await this.ended;
  }

  evidence(): WorkerEvidence {
    const end = this.events.findLast(({ event }) => event === 'ended');
    return {
      name: this.name,
      expectedEnd: this.expectedEnd,
      exitCode: this.#end?.code ?? null,
      signal: this.#end?.signal ?? null,
      lingeredMs: end === undefined ? 0 : this.#endedAtMs - end.atMs,
      leftOpen: end?.leftOpen ?? [],
      unhandled: this.events.filter(({ event }) => event === 'unhandled').map(({ text = '' }) => text),
      samples: this.events
        .filter(({ event }) => event === 'sample')
        .map(({ atMs, rssBytes = 0, fileDescriptors = 0 }) => ({ atMs, rssBytes, fileDescriptors })),
      droppedRecords: end?.droppedRecords ?? 0,
    };
  }

  /** What it has written to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Everything that it has said, for the messages of failed tests. */
  get output(): string {
    const said = this.events.filter(({ event }) => event !== 'sample').map((event) => JSON.stringify(event));
    return `${said.join('\n')}\n${this.#errors}`;
  }

  #hear(line: string): void {
    const event = eventIn(line);
    if (event === undefined) this.#errors += `${line}\n`;
    // Not among the events: a long run has more of them than memory has room for.
    else if (event.event === 'answer') this.#answers.add(event);
    else {
      this.events.push(event);
      this.#listen(event);
    }
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isAlive) return;
    this.signal('SIGCONT');
    await this.kill();
  }
}

/** The last line of a process that was killed may be cut off. */
function eventIn(line: string): LedgerEvent | (StoreAnswer & { readonly event: 'answer' }) | undefined {
  try {
    return JSON.parse(line) as ReturnType<typeof eventIn>;
  } catch {
    return undefined;
  }
}
