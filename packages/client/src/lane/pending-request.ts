import type { Cancel, Clock } from '@millrace/core';
import type { TransportRequest } from '../port/transport.ts';

/** Whoever has the request at the moment: the lane while it waits, the connection once it is sent. */
export interface RequestHolder {
  timedOut(request: PendingRequest): void;
}

/** One request on its way from the call to its outcome. Settles once; its timer ends with it. */
export class PendingRequest {
  readonly request: TransportRequest;
  readonly promise: Promise<Buffer>;
  holder: RequestHolder;
  correlationId = -1;
  #resolve!: (body: Buffer) => void;
  #reject!: (error: Error) => void;
  readonly #cancelTimer: Cancel;

  constructor(request: TransportRequest, clock: Clock, holder: RequestHolder) {
    this.request = request;
    this.holder = holder;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelTimer = clock.setTimer(request.timeoutMs, () => this.holder.timedOut(this));
  }

  resolve(body: Buffer): void {
    this.#cancelTimer();
    this.#resolve(body);
  }

  reject(error: Error): void {
    this.#cancelTimer();
    this.#reject(error);
  }
}
