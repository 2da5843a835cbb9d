import { Duplex } from 'node:stream';

/** Where what a side of a connection sends goes. */
export interface Outgoing {
  /** @param bytes `undefined`: this side is closed */
  send(bytes: Buffer | undefined, done: () => void): void;
  /** This side takes nothing more: what was sent and has not arrived is of no interest on the way back. */
  closed(): void;
}

/**
 * One side of a connection within the process. To libraries it is a socket: the methods that only a real one has a use for do
 * nothing.
 */
export class InProcessSocket extends Duplex {
  readonly #outgoing: Outgoing;
  #waitingForReader: (() => void) | undefined;
  #isEndSent = false;

  constructor(outgoing: Outgoing) {
    super({ allowHalfOpen: false });
    this.#outgoing = outgoing;
  }

  /** Something has arrived. */
  receive(bytes: Buffer | undefined, received: () => void): void {
    const isRead = !this.destroyed && !this.readableEnded;
    if (isRead && bytes === undefined) {
      this.push(null);
      // The other side is gone: what is still on its way there holds up the closing of this one no longer.
      this.#outgoing.closed();
    }
    if (isRead && bytes !== undefined && !this.push(bytes)) this.#waitingForReader = received;
    else received();
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    const received = this.#waitingForReader;
    this.#waitingForReader = undefined;
    received?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // A copy: a client that uses its buffer again must not change what is on its way.
    this.#outgoing.send(Buffer.from(chunk), done);
  }

  /** What was written corked goes together. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#outgoing.send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.#sendEnd();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#sendEnd();
    this._read();
    done(error);
  }

  #sendEnd(): void {
    if (this.#isEndSent) return;
    this.#isEndSent = true;
    this.#outgoing.send(undefined, () => undefined);
  }
}
