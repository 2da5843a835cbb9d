import type { Socket } from 'node:net';
import { FrameReader } from './frame-reader.ts';

/** Above this many bytes of requests that wait for their turn, the socket is not read any further. */
const QUEUED_BYTES_MAX = 1024 * 1024;

/** One request as it arrived, and the ways to end it. */
export interface Exchange {
  readonly frame: Buffer;
  readonly clientHost: string;
  /** Ends the request; `undefined` when it has no response. */
  respond(response: Buffer | undefined): void;
  /** Closes the connection, at once. */
  disconnect(): void;
  onDisconnect(listener: () => void): void;
}

/**
 * A connection of a client: one request at a time, responses in the order of requests. While a JoinGroup or a Fetch waits,
 * everything behind it waits too, as in Kafka.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #handle: (exchange: Exchange) => void;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isBusy = false;
  #isDraining = false;
  #isPumping = false;
  #isClosed = false;
  #disconnectListener: (() => void) | undefined;

  constructor(socket: Socket, requestBytesMax: number, handle: (exchange: Exchange) => void) {
    this.#socket = socket;
    this.#handle = handle;
    const reader = new FrameReader(requestBytesMax, (frame) => this.#enqueue(frame));
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) this.close();
    });
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#socket.destroy();
    this.#disconnectListener?.();
    this.#disconnectListener = undefined;
  }

  #enqueue(frame: Buffer): void {
    if (this.#isClosed) return;
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    if (this.#queuedBytes > QUEUED_BYTES_MAX) this.#socket.pause();
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
      if (this.#queuedBytes <= QUEUED_BYTES_MAX && this.#socket.isPaused()) this.#socket.resume();
      this.#isBusy = true;
      this.#handle(this.#exchangeFor(frame));
    }
    this.#isPumping = false;
  }

  #exchangeFor(frame: Buffer): Exchange {
    let isAnswered = false;
    return {
      frame,
      clientHost: `/${this.#socket.remoteAddress ?? ''}`,
      respond: (response) => {
        if (isAnswered || this.#isClosed) return;
        isAnswered = true;
        this.#disconnectListener = undefined;
        if (response !== undefined) this.#write(response);
        this.#isBusy = false;
        this.#pump();
      },
      disconnect: () => this.close(),
      onDisconnect: (listener) => {
        this.#disconnectListener = listener;
      },
    };
  }

  #write(response: Buffer): void {
    if (this.#socket.write(response)) return;
    // A client that does not read its responses gets no further ones.
    this.#isDraining = true;
    this.#socket.once('drain', () => {
      this.#isDraining = false;
      this.#pump();
    });
  }
}
