import { assert, systemClock } from '@millrace/core';
import { parseEndpoint } from '../lane/broker-endpoint.ts';
import type { Transport } from '../port/transport.ts';
import type { PlainEnvironment, TransportUnderTest } from './contract-options.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Node id under which tests announce the broker (or a proxy in front of it) to a transport. */
export const brokerId = 1;

/** A transport whose broker is reached through a proxy. */
export interface ProxiedTransport {
  readonly proxy: TcpProxy;
  readonly transport: Transport;
}

/** The broker under a suite, and what its tests made and have to clean up. */
export class ContractBench {
  readonly #underTest: TransportUnderTest;
  readonly #start: () => Promise<PlainEnvironment>;
  readonly #cleanUps: (() => Promise<void>)[] = [];
  #environment: PlainEnvironment | undefined;

  constructor(underTest: TransportUnderTest, start: () => Promise<PlainEnvironment>) {
    this.#underTest = underTest;
    this.#start = start;
  }

  async start(): Promise<void> {
    this.#environment = await this.#start();
  }

  /** `host:port` of the broker itself. */
  get address(): string {
    assert(this.#environment !== undefined, 'the suite has not been started');
    return this.#environment.address;
  }

  createTransport(...brokers: readonly string[]): Transport {
    const transport = this.#underTest.createTransport({ brokers, connectTimeoutMs: 30_000 });
    this.#cleanUps.push(() => transport.close());
    return transport;
  }

  /** A transport that reaches the broker without a detour, as `any` and by its node id. */
  direct(): Transport {
    const transport = this.createTransport(this.address);
    announce(transport, this.address);
    return transport;
  }

  async proxied(): Promise<ProxiedTransport> {
    const proxy = await this.startProxy();
    const transport = this.createTransport(proxy.address);
    announce(transport, proxy.address);
    return { proxy, transport };
  }

  async startProxy(port = 0): Promise<TcpProxy> {
    const upstream = parseEndpoint(this.address);
    assert(upstream !== undefined, `"${this.address}" is not host:port`);
    const proxy = await TcpProxy.start(upstream, port);
    this.#cleanUps.push(() => proxy.close());
    return proxy;
  }

  async cleanUp(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }

  async stop(): Promise<void> {
    await this.#environment?.close?.();
  }
}

/** Tells the transport that the broker listens at `address`. */
export function announce(transport: Transport, address: string): void {
  const endpoint = parseEndpoint(address);
  assert(endpoint !== undefined, `"${address}" is not host:port`);
  transport.updateBrokers([{ nodeId: brokerId, ...endpoint }]);
}

/** Resolves when the condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await systemClock.sleep(1);
}
