import { systemClock } from '@millrace/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SaslOptions, TlsOptions, Transport } from '../port/transport.ts';
import type { SecureEnvironment, TransportUnderTest } from './contract-options.ts';
import { countBrokers } from './requests.ts';

/** Transports renew a session when at least this share of it is left. */
const REST = 0.05;
/** Of a broker with keys of its own, on a busy machine. */
const START_TIMEOUT_MS = 240_000;
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

/**
 * The part of the contract that needs a broker with TLS and SASL listeners.
 *
 * @param start gives the broker, once; when its `sessionLifetimeMs` is not 0, authentication is also tried over several lifetimes
 */
export function describeTransportSecurity(
  name: string,
  underTest: TransportUnderTest,
  start: () => Promise<SecureEnvironment>,
): void {
  describe(`${name}: security`, () => {
    const bench = new SecurityBench(underTest, start);
    beforeAll(() => bench.start(), START_TIMEOUT_MS);
    afterEach(() => bench.cleanUp());
    afterAll(() => bench.stop());
    encryption(bench);
    authentication(bench);
    it('authenticates again before the broker ends the session', () => outlivesSessions(bench), 120_000);
  });
}

class SecurityBench {
  environment!: SecureEnvironment;
  readonly #underTest: TransportUnderTest;
  readonly #start: () => Promise<SecureEnvironment>;
  readonly #transports: Transport[] = [];

  constructor(underTest: TransportUnderTest, start: () => Promise<SecureEnvironment>) {
    this.#underTest = underTest;
    this.#start = start;
  }

  async start(): Promise<void> {
    this.environment = await this.#start();
  }

  createTransport(broker: string, tls?: TlsOptions, sasl?: SaslOptions): Transport {
    const security = { ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }) };
    const transport = this.#underTest.createTransport({ brokers: [broker], ...security });
    this.#transports.push(transport);
    return transport;
  }

  sasl(mechanism: SaslOptions['mechanism'], password = this.environment.password): SaslOptions {
    return { mechanism, username: this.environment.username, password };
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#transports.splice(0).map((transport) => transport.close()));
  }

  async stop(): Promise<void> {
    await this.environment.close?.();
  }
}

function encryption(bench: SecurityBench): void {
  it('speaks TLS with a broker whose certificate it is told to trust', async () => {
    const { ssl, ca } = bench.environment;
    expect(await countBrokers(bench.createTransport(ssl, { ca }), 'any')).toBe(1);
  });

  it('refuses a certificate that it can not trust, for good', async () => {
    const transport = bench.createTransport(bench.environment.ssl, true);
    await expect(countBrokers(transport, 'any')).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      name: 'FatalStreamsError',
    });
  });

  it('refuses a certificate for another host', async () => {
    const { ssl, ca } = bench.environment;
    const transport = bench.createTransport(ssl, { ca, servername: 'somewhere-else.example' });
    await expect(countBrokers(transport, 'any')).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  });

  it('sends nothing to a listener that expects TLS when it has none', async () => {
    const transport = bench.createTransport(bench.environment.ssl);
    await expect(countBrokers(transport, 'any')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });
}

function authentication(bench: SecurityBench): void {
  it.each(mechanisms)('authenticates with %s, in clear text and over TLS', async (mechanism) => {
    const { saslPlaintext, saslSsl, ca } = bench.environment;
    expect(await countBrokers(bench.createTransport(saslPlaintext, undefined, bench.sasl(mechanism)), 'any')).toBe(1);
    const transport = bench.createTransport(saslSsl, { ca }, bench.sasl(mechanism));
    expect(await countBrokers(transport, 'any')).toBe(1);
    expect((await transport.features('any')).finalizedFeatures.size).toBeGreaterThan(0);
  });

  it.each(mechanisms)('gives up for good when the password for %s is wrong', async (mechanism) => {
    const transport = bench.createTransport(bench.environment.saslPlaintext, undefined, bench.sasl(mechanism, 'wrong'));
    const refusal = { code: 'AUTHENTICATION_FAILED', name: 'FatalStreamsError' };
    await expect(countBrokers(transport, 'any')).rejects.toMatchObject(refusal);
    await expect(transport.features('any')).rejects.toMatchObject(refusal);
  });
}

/** Several requests are always in flight on two lanes: authentication must find its place between them. */
async function outlivesSessions(bench: SecurityBench): Promise<void> {
  const { saslSsl, ca, sessionLifetimeMs } = bench.environment;
  const end = systemClock.monotonicMs() + 2.5 * sessionLifetimeMs;
  await Promise.all(
    mechanisms.map(async (mechanism) => {
      const transport = bench.createTransport(saslSsl, { ca }, bench.sasl(mechanism));
      do {
        const lanes = ['data', 'data', 'data', 'admin'] as const;
        const count = () => Promise.all(lanes.map((lane) => countBrokers(transport, 'any', lane)));
        expect(await unlessStalled(REST * sessionLifetimeMs, count)).toEqual([1, 1, 1, 1]);
        await systemClock.sleep(5);
      } while (systemClock.monotonicMs() < end);
      // And after a pause in which the session ran out.
      await systemClock.sleep(1.2 * sessionLifetimeMs);
      expect(await unlessStalled(REST * sessionLifetimeMs, () => countBrokers(transport, 'any'))).toBe(1);
    }),
  );
}

/**
 * Between the look at a session and the arrival of the request it may come to its end when the machine stands still for as long
 * as the session was to last at that look. A failure after that proves nothing, and the request is made again.
 */
async function unlessStalled<T>(restMs: number, request: () => Promise<T>): Promise<T> {
  for (;;) {
    const startedMs = systemClock.monotonicMs();
    try {
      return await request();
    } catch (error) {
      if (systemClock.monotonicMs() - startedMs < restMs) throw error;
    }
  }
}
