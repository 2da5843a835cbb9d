import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { systemClock, systemRandom } from '@millrace/core';
import { FrameSplitter } from './frame-splitter.ts';
import { ActiveRule, type PassingFrame, type ProxyRule } from './proxy-rule.ts';
import { type Address, rewriteAddresses } from './rewrite-addresses.ts';

/** What a network is like. */
export interface Conditions {
  /** On the way, in each direction. Unit ms. */
  readonly latencyMs?: number;
  /** Each frame is under way for up to so much longer, by chance; frames never overtake each other. Unit ms. */
  readonly jitterMs?: number;
  /** Per connection and direction. */
  readonly bytesPerSecond?: number;
  /** No byte passes in that direction; connections stay open. */
  readonly silent?: 'to-broker' | 'to-client' | 'both';
  /** New connections are reset. */
  readonly refuses?: boolean;
}

type Side = PassingFrame['side'];

/**
 * A network between clients and a broker that knows the protocol: it can hold, lose or cut one particular request or answer,
 * or be slow, silent or gone as a whole. Clients stay behind it: addresses in answers are replaced by its own.
 */
export class KafkaProxy implements AsyncDisposable {
  conditions: Conditions = {};
  readonly #upstream: Address;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #rules = new Set<ActiveRule>();

  private constructor(upstream: Address) {
    this.#upstream = upstream;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param broker `host:port` */
  static async start(broker: string, port = 0): Promise<KafkaProxy> {
    const colon = broker.lastIndexOf(':');
    const proxy = new KafkaProxy({ host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) });
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    const { host, port } = this.#address;
    return `${host}:${port}`;
  }

  get #address(): Address {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  get connections(): number {
    return this.#links.size;
  }

  add(rule: ProxyRule): ActiveRule {
    const active = new ActiveRule(rule);
    this.#rules.add(active);
    return active;
  }

  remove(rule: ActiveRule): void {
    this.#rules.delete(rule);
  }

  /** Resets every connection. @returns how many */
  cut(): number {
    const links = [...this.#links];
    for (const link of links) link.reset();
    return links.length;
  }

  /** As before any fault; connections on which something vanished are reset, as a client would do in the end. */
  heal(): void {
    for (const rule of this.#rules) if (rule.rule.stays !== true) this.#rules.delete(rule);
    this.conditions = {};
    for (const link of this.#links) if (link.isBroken) link.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.conditions.refuses === true) {
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, connect(this.#upstream), {
      address: this.#address,
      conditions: () => this.conditions,
      ruleFor: (frame) => [...this.#rules].find((rule) => rule.takes(frame)),
      onEnd: () => this.#links.delete(link),
    });
    this.#links.add(link);
  }
}

interface LinkOptions {
  readonly address: Address;
  readonly conditions: () => Conditions;
  readonly ruleFor: (frame: PassingFrame) => ActiveRule | undefined;
  readonly onEnd: () => void;
}

/** One connection and its other half. Frames of a direction keep their order: what is held holds up what follows. */
class Link {
  /** Something has vanished on it. */
  isBroken = false;
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #options: LinkOptions;
  readonly #asked = new Map<number, { readonly apiKey: number; readonly apiVersion: number }>();
  readonly #passing: Record<Side, Promise<void>> = { request: Promise.resolve(), response: Promise.resolve() };
  readonly #swallows = new Set<Side>();

  constructor(client: Socket, broker: Socket, options: LinkOptions) {
    this.#client = client;
    this.#broker = broker;
    this.#options = options;
    broker.on('error', () => undefined);
    this.#pump(client, 'request');
    this.#pump(broker, 'response');
    // What the client has sent before it went away is still on its way.
    client.on('close', () => void this.#passing.request.then(() => broker.destroySoon()));
    broker.on('close', () => {
      client.destroy();
      options.onEnd();
    });
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#broker.resetAndDestroy();
  }

  #pump(from: Socket, side: Side): void {
    const splitter = new FrameSplitter();
    from.on('data', (chunk: Buffer) => {
      for (const bytes of splitter.push(chunk)) {
        const frame = this.#identify(bytes, side);
        const arrivedAtMs = systemClock.monotonicMs();
        this.#passing[side] = this.#passing[side].then(() => this.#pass(frame, arrivedAtMs)).catch(() => this.reset());
      }
    });
  }

  #identify(bytes: Buffer, side: Side): PassingFrame {
    if (side === 'request') {
      const asked = { apiKey: bytes.readInt16BE(4), apiVersion: bytes.readInt16BE(6) };
      this.#asked.set(bytes.readInt32BE(8), asked);
      return { ...asked, side, bytes };
    }
    const correlationId = bytes.readInt32BE(4);
    const asked = this.#asked.get(correlationId) ?? { apiKey: -1, apiVersion: -1 };
    this.#asked.delete(correlationId);
    return { ...asked, side, bytes: rewriteAddresses(bytes, asked.apiKey, asked.apiVersion, this.#options.address) };
  }

  async #pass(frame: PassingFrame, arrivedAtMs: number): Promise<void> {
    const { side } = frame;
    if (this.#swallows.has(side)) return;
    if (this.#isSilent(side)) return this.#swallow(side);
    const action = this.#options.ruleFor(frame)?.rule.action;
    if (action === 'cut') return this.reset();
    if (action === 'swallow') return this.#swallow(side);
    if (action !== undefined && (await action(frame)) === 'drop') return undefined;
    await this.#travel(frame.bytes.length, arrivedAtMs);
    if (side === 'request') this.#broker.write(frame.bytes);
    else if (!this.#client.destroyed) this.#client.write(frame.bytes);
    return undefined;
  }

  #isSilent(side: Side): boolean {
    const { silent } = this.#options.conditions();
    return silent === 'both' || silent === (side === 'request' ? 'to-broker' : 'to-client');
  }

  #swallow(side: Side): void {
    this.#swallows.add(side);
    this.isBroken = true;
  }

  /** Latency counts from the arrival, as frames are under way together; the line itself carries one after the other. */
  async #travel(bytes: number, arrivedAtMs: number): Promise<void> {
    const { latencyMs = 0, jitterMs = 0, bytesPerSecond } = this.#options.conditions();
    const lineMs = bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1000;
    const leftMs = arrivedAtMs + latencyMs + systemRandom.next() * jitterMs - systemClock.monotonicMs();
    if (leftMs + lineMs >= 1) await systemClock.sleep(Math.max(0, leftMs) + lineMs);
  }
}
