import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import type { WriteStream } from 'node:tty';
import { pathToFileURL } from 'node:url';
import { systemClock } from '@millrace/core';
import { createLogUpdate } from 'log-update';
import type { Host, OutputStream, Screen } from './host.ts';

/** The process that this code runs in. */
export function nodeHost(): Host {
  return {
    env: process.env,
    workingDirectory: process.cwd(),
    nodeVersion: process.versions.node,
    clock: systemClock,
    stdout: outputTo(process.stdout),
    stderr: outputTo(process.stderr),
    openScreen,
    fileExists: existsSync,
    readFile: (path) => readFileSync(path, 'utf8'),
    importModule: (path) => import(pathToFileURL(path).href) as Promise<Readonly<{ [name: string]: unknown }>>,
    onSignal(signal, listener) {
      process.on(signal, listener);
      return () => process.off(signal, listener);
    },
    exit: (code) => process.exit(code),
  };
}

function outputTo(stream: WriteStream): OutputStream {
  return {
    write: (text) => void stream.write(text),
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      // Some pseudo-terminals have a width of 0.
      return stream.columns || 80;
    },
  };
}

function openScreen(): Screen {
  const update = createLogUpdate(process.stdout);
  return { update, persist: (line) => update.persist(line), done: () => update.done() };
}
