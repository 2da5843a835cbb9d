import type { Socket } from 'node:net';
import { CorruptDataError } from '@millrace/core';
import { connectionLost, reasonOf, requestTimedOut } from '../lane/connection-errors.ts';
import type { PendingRequest, RequestHolder } from '../lane/pending-request.ts';
import { responseBody } from '../lane/response-body.ts';
import { FrameReader } from './frame-reader.ts';
import { writeRequestFrame } from './request-frame.ts';

export interface ConnectionOptions {
  /** `host:port`, for errors. */
  readonly node: string;
  readonly clientId: Buffer;
  readonly responseBytesMax: number;
}

const noBody = Buffer.alloc(0);

/**
 * One open socket to a broker and the requests that are in flight on it.
 *
 * Invariant: a broker answers one connection in the order of its requests, so the first answer belongs to the first request in
 * flight and carries its correlation id. Where that fails, or an answer is overdue, nothing that comes later could be trusted:
 * the connection ends, and every request that is still in flight has an unknown outcome.
 */
export class SocketConnection implements RequestHolder {
  readonly node: string;
  /** Called once, as soon as the connection can not be used any more. */
  onEnd: ((reason: Error) => void) | undefined;
  /** Settles when the socket is closed. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #clientId: Buffer;
  readonly #frames: FrameReader;
  readonly #inFlight: PendingRequest[] = [];
  #nextCorrelationId = 0;
  #answers = 0;
  #endedBy: Error | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.node = options.node;
    this.#socket = socket;
    this.#clientId = options.clientId;
    this.#frames = new FrameReader(options.responseBytesMax, (frame) => this.#answer(frame));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.end(connectionLost(this.node, 'the broker closed the connection'));
        resolve();
      });
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.end(connectionLost(this.node, reasonOf(error), error)));
  }

  get isOpen(): boolean {
    return this.#endedBy === undefined;
  }

  /** How many requests were answered. */
  get answers(): number {
    return this.#answers;
  }

  /** Hands the request to the network; the connection must be open. */
  send(pending: PendingRequest): void {
    const { request } = pending;
    pending.holder = this;
    pending.correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = (this.#nextCorrelationId + 1) & 0x7fff_ffff;
    if (request.expectResponse === false) {
      writeRequestFrame(this.#socket, request, pending.correlationId, this.#clientId, (error) => {
        if (error == null) pending.resolve(noBody);
        else pending.reject(this.#endedBy ?? connectionLost(this.node, error.message, error));
      });
      return;
    }
    this.#inFlight.push(pending);
    writeRequestFrame(this.#socket, request, pending.correlationId, this.#clientId);
  }

  timedOut(pending: PendingRequest): void {
    const { apiKey, timeoutMs } = pending.request;
    pending.reject(requestTimedOut(this.node, apiKey, timeoutMs));
    this.end(connectionLost(this.node, 'an earlier or later request on this connection was not answered in time'));
  }

  /** Closes the socket at once; requests in flight reject with `reason`. Does nothing the second time. */
  end(reason: Error): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = reason;
    this.#socket.destroy();
    for (const pending of this.#inFlight.splice(0)) pending.reject(reason);
    this.onEnd?.(reason);
  }

  #receive(chunk: Buffer): void {
    if (this.#endedBy !== undefined) return;
    try {
      this.#frames.push(chunk);
    } catch (error) {
      this.end(connectionLost(this.node, reasonOf(error), error));
    }
  }

  #answer(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const pending = this.#inFlight.shift();
    if (pending?.correlationId !== correlationId) {
      if (pending !== undefined) this.#inFlight.unshift(pending);
      throw new CorruptDataError(
        'CORRUPT_RESPONSE',
        `the broker answered correlation id ${correlationId}, but ${pending?.correlationId ?? 'nothing'} was expected`,
      );
    }
    try {
      const body = responseBody(frame, 4, pending.request);
      this.#answers++;
      pending.resolve(body);
    } catch (error) {
      this.#inFlight.unshift(pending);
      throw error;
    }
  }
}
