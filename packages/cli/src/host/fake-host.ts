import type { Cancel, Clock } from '@millrace/core';
import type { Host, HostSignal, OutputStream, Screen } from './host.ts';

/** A clock that stands still until it is moved; timers fire while it moves. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Cancel {
    const timer = { atMs: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  async sleep(): Promise<void> {}

  advance(ms: number): void {
    const target = this.#now + ms;
    for (let due = this.#next(target); due !== undefined; due = this.#next(target)) {
      this.#timers.delete(due);
      this.#now = due.atMs;
      due.callback();
    }
    this.#now = target;
  }

  #next(untilMs: number) {
    return [...this.#timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
  }
}

export interface FakeHostParts {
  readonly env?: Host['env'];
  readonly nodeVersion?: string;
  readonly isTerminal?: boolean;
  /** Texts by path. */
  readonly files?: Readonly<{ [path: string]: string }>;
  /** Exports by path, or the error that loading gives. */
  readonly modules?: Readonly<{ [path: string]: object }>;
}

/** A machine made of plain data, which remembers what was done to it. */
export class FakeHost implements Host {
  readonly env: Host['env'];
  readonly workingDirectory = '/app';
  readonly nodeVersion: string;
  readonly clock = new FakeClock();
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly exits: number[] = [];
  /** What the screen showed, one entry per drawing; lines that stay are marked with `> `. */
  readonly drawings: string[] = [];
  out = '';
  err = '';
  readonly #parts: FakeHostParts;
  readonly #listeners: { readonly signal: HostSignal; readonly listener: (signal: HostSignal) => void }[] = [];

  constructor(parts: FakeHostParts = {}) {
    this.#parts = parts;
    this.env = parts.env ?? {};
    this.nodeVersion = parts.nodeVersion ?? '20.19.0';
    const isTerminal = parts.isTerminal ?? false;
    const write = (to: 'out' | 'err') => (text: string) => {
      this[to] += text;
    };
    this.stdout = { write: write('out'), isTerminal, columns: 100 };
    this.stderr = { write: write('err'), isTerminal, columns: 100 };
  }

  openScreen(): Screen {
    return {
      update: (picture) => void this.drawings.push(picture),
      persist: (line) => void this.drawings.push(`> ${line}`),
      done: () => void this.drawings.push('done'),
    };
  }

  fileExists(path: string): boolean {
    return this.#parts.files?.[path] !== undefined || this.#parts.modules?.[path] !== undefined;
  }

  readFile(path: string): string {
    const text = this.#parts.files?.[path];
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return text;
  }

  async importModule(path: string): Promise<Readonly<{ [name: string]: unknown }>> {
    const found = this.#parts.modules?.[path];
    if (found === undefined || found instanceof Error) throw found ?? new Error(`no module ${path}`);
    return found as Readonly<{ [name: string]: unknown }>;
  }

  onSignal(signal: HostSignal, listener: (signal: HostSignal) => void): Cancel {
    const entry = { signal, listener };
    this.#listeners.push(entry);
    return () => void this.#listeners.splice(this.#listeners.indexOf(entry), 1);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  /** Delivers a signal; returns how many listeners heard it. */
  raise(signal: HostSignal): number {
    const heard = this.#listeners.filter((one) => one.signal === signal);
    for (const { listener } of heard) listener(signal);
    return heard.length;
  }
}
