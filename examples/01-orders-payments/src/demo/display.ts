import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { renderPicture, type Palette } from './picture.ts';
import { progressLine } from './progress-line.ts';
import type { Standing } from './standing.ts';

/** How a run shows itself. */
export interface Display {
  readonly palette: Palette;
  /** Something happened: a line that stays. @param elapsedMs since the run began; the last lines have none */
  event(text: string, elapsedMs?: number): void;
  /** How things stand now. Call it as often as you like: it shows what its reader can follow. */
  show(standing: Standing): void;
  /** Leaves the last picture where it is. Does nothing the second time. */
  close(): void;
}

/** A picture that is drawn over for a person at a terminal, plain lines for everything else. */
export function createDisplay(stream: WriteStream, env: Readonly<{ [name: string]: string | undefined }>): Display {
  const isTerminal = stream.isTTY === true;
  const palette = pc.createColors(isTerminal && (env.NO_COLOR ?? '') === '');
  return isTerminal ? new ScreenDisplay(stream, palette) : new LineDisplay((line) => stream.write(`${line}\n`), palette);
}

class ScreenDisplay implements Display {
  readonly palette: Palette;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #picture: string | undefined;

  constructor(stream: WriteStream, palette: Palette) {
    this.palette = palette;
    this.#update = createLogUpdate(stream);
  }

  event(text: string, elapsedMs?: number): void {
    this.#update.persist(`${this.palette.dim(timeText(elapsedMs))}${text}`);
    if (this.#picture !== undefined) this.#update(this.#picture);
  }

  show(standing: Standing): void {
    this.#picture = renderPicture(standing, this.palette);
    this.#update(this.#picture);
  }

  close(): void {
    this.#picture = undefined;
    this.#update.done();
  }
}

/** A line each second is enough to follow, and little enough to read afterwards. */
const LINE_INTERVAL_MS = 1000;

class LineDisplay implements Display {
  readonly palette: Palette;
  readonly #print: (line: string) => void;
  #nextMs = 0;

  constructor(print: (line: string) => void, palette: Palette) {
    this.#print = print;
    this.palette = palette;
  }

  event(text: string, elapsedMs?: number): void {
    this.#print(timeText(elapsedMs) + text);
  }

  show(standing: Standing): void {
    const { elapsedMs } = standing;
    if (elapsedMs < this.#nextMs) return;
    this.#nextMs = elapsedMs + LINE_INTERVAL_MS;
    this.event(progressLine(standing), elapsedMs);
  }

  close(): void {}
}

function timeText(elapsedMs: number | undefined): string {
  return elapsedMs === undefined ? '' : `${(elapsedMs / 1000).toFixed(1).padStart(5)} s  `;
}
