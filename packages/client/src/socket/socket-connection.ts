import type { Duplex } from 'node:stream';
import { assert, CorruptDataError, type Random } from '@millrace/core';
import type { BrokerConnection, HandshakeExchange } from '../lane/broker-connection.ts';
import { connectionLost, reasonOf, requestTimedOut } from '../lane/connection-errors.ts';
import type { PendingRequest } from '../lane/pending-request.ts';
import { responseBody } from '../lane/response-body.ts';
import type { BrokerFeatures, SaslOptions } from '../port/transport.ts';
import { FrameReader } from './frame-reader.ts';
import { writeRequestFrame } from './request-frame.ts';
import { authenticate } from './sasl-authentication.ts';

export interface SocketConnectionOptions {
  /** `host:port`, for errors. */
  readonly node: string;
  readonly clientId: Buffer;
  readonly sasl: SaslOptions | undefined;
  readonly random: Random;
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
export class SocketConnection implements BrokerConnection {
  readonly node: string;
  onEnd: ((reason: Error) => void) | undefined;
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: SocketConnectionOptions;
  readonly #frames: FrameReader;
  readonly #inFlight: PendingRequest[] = [];
  #nextCorrelationId = 0;
  #answers = 0;
  #endedBy: Error | undefined;

  constructor(socket: Duplex, options: SocketConnectionOptions) {
    this.node = options.node;
    this.#socket = socket;
    this.#options = options;
    this.#frames = new FrameReader(options.responseBytesMax, (frame) => this.#answer(frame));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.end(connectionLost(this.node, 'the connection was closed'));
        resolve();
      });
    });
    socket.once('end', () => this.end(connectionLost(this.node, 'the broker closed the connection')));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.end(connectionLost(this.node, reasonOf(error), error)));
  }

  get isOpen(): boolean {
    return this.#endedBy === undefined;
  }

  get answers(): number {
    return this.#answers;
  }

  send(pending: PendingRequest): void {
    const { request } = pending;
    pending.holder = this;
    pending.correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = (this.#nextCorrelationId + 1) & 0x7fff_ffff;
    if (request.expectResponse === false) {
      writeRequestFrame(this.#socket, request, pending.correlationId, this.#options.clientId, (error) => {
        if (error == null) pending.resolve(noBody);
        else pending.reject(this.#endedBy ?? connectionLost(this.node, error.message, error));
      });
      return;
    }
    this.#inFlight.push(pending);
    writeRequestFrame(this.#socket, request, pending.correlationId, this.#options.clientId);
  }

  timedOut(pending: PendingRequest): void {
    const { apiKey, timeoutMs } = pending.request;
    pending.reject(requestTimedOut(this.node, apiKey, timeoutMs));
    this.end(connectionLost(this.node, 'an earlier or later request on this connection was not answered in time'));
  }

  authenticate(_features: BrokerFeatures, exchange: HandshakeExchange): Promise<number> {
    const { sasl, random } = this.#options;
    assert(sasl !== undefined, 'a connection without credentials was told to authenticate');
    return authenticate({ exchange, sasl, random, node: this.node });
  }

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
