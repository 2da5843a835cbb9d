import type { Cancel, Clock } from '@millrace/core';
import type { Screen } from '../host/host.ts';

/** Twice a second: quick enough to follow, cheap enough not to matter. */
const REDRAW_MS = 500;

export interface LiveViewOptions {
  readonly clock: Clock;
  readonly screen: Screen;
  /** Makes the picture. */
  readonly render: () => string;
}

/** Keeps the picture on a screen up to date; lines that are to stay go above it. */
export class LiveView {
  readonly #options: LiveViewOptions;
  #cancel: Cancel | undefined;

  constructor(options: LiveViewOptions) {
    this.#options = options;
  }

  start(): void {
    this.#draw();
    this.#cancel = this.#options.clock.setTimer(REDRAW_MS, () => this.start());
  }

  /** Writes a line above the picture. */
  persist(line: string): void {
    this.#options.screen.persist(line);
    if (this.#cancel !== undefined) this.#draw();
  }

  /** Draws the last picture and leaves it there. */
  stop(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    this.#draw();
    this.#options.screen.done();
  }

  #draw(): void {
    this.#options.screen.update(this.#options.render());
  }
}
