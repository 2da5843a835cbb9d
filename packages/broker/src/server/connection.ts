import type { Duplex } from 'node:stream';
import { FrameReader } from './frame-reader.ts';

/** Above this many bytes of requests that wait for their turn, the socket is not read any further. */
const QUEUED_BYTES_MAX = 1024 * 1024;

/** One request as it arrived, and the ways to end it. */
export interface Exchange {
  readonly frame: Buffer;
  readonly clientHost: string;
  /** Ends the request; `undefined` when it has no response. */
  respond(response: Buffer | undefined): void;
  /** Sends no more than the beginning of a response, and closes the connection behind it. */
  respondPartly(beginning: Buffer): void;
  /** Closes the connection, at once. */
  disconnect(): void;
  onDisconnect(listener: () => void): void;
}

export interface ConnectionOptions {
  /** Address of the client, in the form that Kafka shows: `/127.0.0.1`. */
  readonly clientHost: string;
  readonly requestBytesMax: number;
  readonly handle: (exchange: Exchange) => void;
}

/**
 * A connection of a client: one request at a time, responses in the order of requests. While a JoinGroup or a Fetch waits,
 * everything behind it waits too, as in Kafka.
 */
export class Connection {
  readonly #stream: Duplex;
  readonly #clientHost: string;
  readonly #handle: (exchange: Exchange) => void;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isBusy = false;
  #isDraining = false;
  #isPumping = false;
  #isClosed = false;
  #disconnectListener: (() => void) | undefined;

  constructor(stream: Duplex, { clientHost, requestBytesMax, handle }: ConnectionOptions) {
    this.#stream = stream;
    this.#clientHost = clientHost;
    this.#handle = handle;
    const reader = new FrameReader(requestBytesMax, (frame) => this.#enqueue(frame));
    stream.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) this.close();
    });
    stream.on('error', () => this.close());
    stream.on('close', () => this.close());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#stream.destroy();
    this.#disconnectListener?.();
    this.#disconnectListener = undefined;
  }

  #enqueue(frame: Buffer): void {
    if (this.#isClosed) return;
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    if (this.#queuedBytes > QUEUED_BYTES_MAX) this.#stream.pause();
    this.#pump();
  }

  /** Handles what waits, in a loop rather than by recursion: most requests are answered before `handle` returns. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isBusy && !this.#isDraining && !this.#isClosed) {
      const frame = this.#queue.shift();
      if (frame === undefined) break;
      this.#queuedBytes -= frame.length;
      if (this.#queuedBytes <= QUEUED_BYTES_MAX && this.#stream.isPaused()) this.#stream.resume();
      this.#isBusy = true;
      this.#handle(this.#exchangeFor(frame));
    }
    this.#isPumping = false;
  }

  #exchangeFor(frame: Buffer): Exchange {
    let isAnswered = false;
    return {
      frame,
      clientHost: this.#clientHost,
      respond: (response) => {
        if (isAnswered || this.#isClosed) return;
        isAnswered = true;
        this.#disconnectListener = undefined;
        if (response !== undefined) this.#write(response);
        this.#isBusy = false;
        this.#pump();
      },
      respondPartly: (beginning) => {
        if (isAnswered || this.#isClosed) return;
        isAnswered = true;
        // Nothing that follows on the connection is handled any more: the request stays in front of it.
        this.#queue.length = 0;
        this.#stream.end(beginning, () => this.close());
      },
      disconnect: () => this.close(),
      onDisconnect: (listener) => {
        this.#disconnectListener = listener;
      },
    };
  }

  #write(response: Buffer): void {
    if (this.#stream.write(response)) return;
    // A client that does not read its responses gets no further ones.
    this.#isDraining = true;
    this.#stream.once('drain', () => {
      this.#isDraining = false;
      this.#pump();
    });
  }
}
