import type { Cancel, Clock } from '@millrace/core';

/** The signals that ask for a stop. */
export type HostSignal = 'SIGINT' | 'SIGTERM';

/** Where text goes, and what is known about the reader. */
export interface OutputStream {
  write(text: string): void;
  /** True when a person looks at it. */
  readonly isTerminal: boolean;
  /** Width in characters; 80 when unknown. */
  readonly columns: number;
}

/** A picture at the bottom of a terminal that is drawn over again and again. */
export interface Screen {
  /** Replaces the picture. */
  update(picture: string): void;
  /** Writes a line above the picture, where it stays; the picture must be drawn again. */
  persist(line: string): void;
  /** Leaves the last picture where it is. */
  done(): void;
}

/** Everything that the command line needs of the machine, so that tests run it without a process. */
export interface Host {
  readonly env: Readonly<{ [name: string]: string | undefined }>;
  readonly workingDirectory: string;
  /** Without the leading `v`. */
  readonly nodeVersion: string;
  readonly clock: Clock;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Takes the terminal of `stdout` for a picture. */
  openScreen(): Screen;
  fileExists(path: string): boolean;
  /** UTF-8 text of a file. Throws what `node:fs` throws. */
  readFile(path: string): string;
  /** Loads an ES module by its absolute path. */
  importModule(path: string): Promise<Readonly<{ [name: string]: unknown }>>;
  /** Calls back at each signal until cancelled; the default action of the signal is off meanwhile. */
  onSignal(signal: HostSignal, listener: (signal: HostSignal) => void): Cancel;
  /** Ends the process at once, without any clean-up. */
  exit(code: number): void;
}
