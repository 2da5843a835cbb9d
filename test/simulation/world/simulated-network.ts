import type { Duplex } from 'node:stream';
import type { DevBroker, Transfer } from '@millrace/broker';
import type { Random } from '@millrace/core';
import { API_NAMES } from './api-names.ts';
import { FrameWatch } from './frame-watch.ts';
import type { EventOwner, Scheduler } from './scheduler.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** Where a request is: on its way to the broker, or answered and the answer on its way back. */
export type FrameSide = 'request' | 'response';

/** Sees each frame when it sets out. What it does to the connection happens before the frame arrives. */
export type FrameListener = (passing: {
  readonly process: SimulatedProcess;
  readonly apiKey: number;
  readonly side: FrameSide;
}) =>
  | {
      /** Keeps the frame, and what follows it on the connection, back for so long. */
      readonly holdMs?: number;
      /** Happens when the frame has arrived and its receiver has done what it does at once. */
      readonly onArrival?: () => void;
    }
  | undefined;

interface Link {
  readonly process: SimulatedProcess;
  readonly socket: Duplex;
  readonly cut: () => void;
}

/** Arrivals belong to nobody: what is on its way arrives, whatever becomes of its sender. */
const WIRE: EventOwner = { name: 'wire', isAlive: true, hold: undefined };
const LATENCY_MIN_MS = 0.1;

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Longest delay of a transfer in peace; most are far shorter. */
  readonly latencyMaxMs: number;
  /** `undefined` while it is down. */
  readonly broker: () => DevBroker | undefined;
}

/** The connections between the processes and the broker, and how long everything on them takes. */
export class SimulatedNetwork {
  readonly #options: NetworkOptions;
  readonly #links = new Set<Link>();
  readonly #slow = new Map<SimulatedProcess, number>();
  readonly #listeners = new Set<FrameListener>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Opens a connection, for `openStream` of the socket transport. */
  async open(process: SimulatedProcess, port: number, signal: AbortSignal): Promise<Duplex> {
    await process.clock.sleep(this.#latency(process), signal);
    const broker = this.#options.broker();
    if (broker === undefined) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const onTransfer = this.#transferHandler(process);
    const { socket, cut } = broker.connect({ port, schedule: onTransfer });
    const link: Link = { process, socket, cut };
    this.#links.add(link);
    socket.once('close', () => this.#links.delete(link));
    return socket;
  }

  /** Calls back for each frame until the returned function is called. */
  listen(listener: FrameListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Everything of this process takes up to so much longer; 0 ends it. */
  slow(process: SimulatedProcess, byMaxMs: number): void {
    if (byMaxMs === 0) this.#slow.delete(process);
    else this.#slow.set(process, byMaxMs);
  }

  linksOf(process: SimulatedProcess): number {
    return this.#of(process).length;
  }

  /** Breaks the connections of a process, all or the n-th. What is on its way is lost. */
  cut(process: SimulatedProcess, nth?: number): void {
    const links = this.#of(process);
    for (const { cut } of nth === undefined ? links : links.slice(nth % Math.max(1, links.length)).slice(0, 1)) cut();
  }

  /**
   * The process is dead: its side hears nothing any more, the broker hears that it is gone.
   *
   * @param losesSent whether what it had sent is lost, too
   */
  abandon(process: SimulatedProcess, losesSent: boolean): void {
    for (const link of this.#of(process)) {
      this.#links.delete(link);
      link.socket.removeAllListeners();
      link.socket.on('error', () => undefined);
      if (losesSent) link.cut();
      else link.socket.destroy();
    }
  }

  #of(process: SimulatedProcess): Link[] {
    return [...this.#links].filter((link) => link.process === process);
  }

  #transferHandler(process: SimulatedProcess): (transfer: Transfer) => void {
    const { scheduler } = this.#options;
    const watches = { request: new FrameWatch('request'), response: new FrameWatch('response') };
    const apis = new Map<number, number>();
    return ({ direction, bytes, deliver }) => {
      const side = direction === 'to-broker' ? 'request' : 'response';
      let delayMs = this.#latency(process);
      const after: (() => void)[] = [];
      const names = new Set<string>();
      for (const head of bytes === undefined ? [] : watches[side].push(bytes)) {
        if (side === 'request') apis.set(head.correlationId, head.apiKey);
        const apiKey = apis.get(head.correlationId) ?? -1;
        names.add(API_NAMES.get(apiKey) ?? String(apiKey));
        for (const listener of [...this.#listeners]) {
          const wish = listener({ process, apiKey, side });
          delayMs = Math.max(delayMs, wish?.holdMs ?? 0);
          if (wish?.onArrival !== undefined) after.push(wish.onArrival);
        }
      }
      const owner = side === 'request' ? WIRE : process;
      const arrive = (): void => {
        deliver();
        for (const happen of after) scheduler.schedule(WIRE, 0, 'after arrival', happen);
      };
      scheduler.schedule(owner, delayMs, `${side} ${[...names].join(', ')}`, arrive, bytes);
    };
  }

  #latency(process: SimulatedProcess): number {
    const { random, latencyMaxMs } = this.#options;
    const slowMs = this.#slow.get(process) ?? 0;
    return LATENCY_MIN_MS + latencyMaxMs * random.next() ** 4 + slowMs * random.next();
  }
}
