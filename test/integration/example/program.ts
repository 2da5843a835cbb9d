import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A TypeScript program of this repository as a process of its own, run from the sources: nothing has to be built. */
export class Program implements AsyncDisposable {
  /** Standard output so far. */
  readonly lines: string[] = [];
  /** Standard error so far. */
  errors = '';
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcessWithoutNullStreams;
  #wake: () => void = () => undefined;

  /** @param path a URL, or a path from the root of the repository */
  constructor(path: string | URL, args: readonly string[], env: Readonly<{ [name: string]: string }> = {}) {
    const file = path instanceof URL ? fileURLToPath(path) : path;
    this.#child = spawn(process.execPath, ['--conditions=@millrace/source', '--import', 'tsx', file, ...args], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#wake();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#wake();
      return { code, signal };
    });
  }

  /** Waits until a line of standard output fulfils the condition. @throws Error when the program ends before */
  async line(condition: (line: string) => boolean): Promise<string> {
    for (;;) {
      const found = this.lines.find(condition);
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`the program has ended: ${this.output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Everything that it has printed, for the messages of failed tests. */
  get output(): string {
    return `${this.lines.join('\n')}\n${this.errors}`;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.ended;
  }
}
