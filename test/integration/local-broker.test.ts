import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type KafkaBroker, startKafka } from '../kafka/broker.ts';
import { isReady } from '../kafka/readiness.ts';
import { describeWithKafka, describeWithSecureKafka } from './kafka-under-test.ts';

// On a busy machine a broker takes more than a minute to start.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describeWithKafka('the Kafka under test', (brokers) => {
  it('serves clients', async () => {
    await expect.poll(() => isReady(Number(brokers.split(',')[0]?.split(':').pop()))).toBe(true);
  });
});

describeWithSecureKafka('the broker of the tests', (secure) => {
  it('presents a certificate that the PEM file vouches for', async () => {
    const port = Number(secure.ssl.split(':')[1]);
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: await readFile(secure.caFile) });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  // Own brokers only where ours can run at all, which the secured one shows.
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  });
  afterAll(() => broker.stop());

  it('comes back with its port after SIGKILL', async () => {
    const firstPid = broker.pid();
    await broker.kill();
    expect(await isReady(broker.port)).toBe(false);
    await broker.restart();
    expect(broker.pid()).not.toBe(firstPid);
    await expect.poll(() => isReady(broker.port)).toBe(true);
  });

  it('refuses a port that is in use', async () => {
    await expect(startKafka({ port: broker.port })).rejects.toThrow(`port ${broker.port} on 127.0.0.1 cannot be used`);
  });

  it('leaves nothing behind when stopped', async () => {
    const other = await startKafka();
    await other.stop();
    expect(existsSync(other.directory)).toBe(false);
    expect(await isReady(other.port)).toBe(false);
  });
});
