import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { announce, brokerId, ContractBench, type ProxiedTransport, until } from './contract-bench.ts';
import type { PlainEnvironment, TransportUnderTest } from './contract-options.ts';
import { apiVersionsRequest, countBrokers, metadataRequest, oldMetadataRequest } from './requests.ts';

/**
 * The part of the contract that is about connections. Any broker will do that answers ApiVersions and Metadata.
 *
 * @param start starts the broker, once
 */
export function describeTransportConnections(
  name: string,
  underTest: TransportUnderTest,
  start: () => Promise<PlainEnvironment>,
): void {
  describe(`${name}: connections`, () => {
    const bench = new ContractBench(underTest, start);
    beforeAll(() => bench.start());
    afterEach(() => bench.cleanUp());
    afterAll(() => bench.stop());
    exchanges(bench);
    unreachableBrokers(bench);
    lostConnections(bench);
    overdueAnswers(bench);
    movingBrokers(bench);
    closing(bench);
  });
}

function exchanges(bench: ContractBench): void {
  it('tells what the broker offers', async () => {
    const features = await bench.direct().features('any');
    expect(features.apis.get(3)?.max).toBeGreaterThanOrEqual(12);
    expect(features.finalizedFeatures.get('transaction.version')).toBeGreaterThanOrEqual(1);
  });

  it('strips the headers of flexible and of older versions alike', async () => {
    const transport = bench.direct();
    expect(await countBrokers(transport, brokerId)).toBe(1);
    const older = await transport.send(brokerId, oldMetadataRequest());
    expect(older.readInt32BE(4)).toBe(1);
    expect((await transport.send('any', apiVersionsRequest(0))).readInt16BE(0)).toBe(0);
    expect((await transport.send('any', apiVersionsRequest(3))).readInt16BE(0)).toBe(0);
  });

  it('answers in the order of the calls, also those made before the connection is open', async () => {
    const transport = bench.direct();
    const answered: number[] = [];
    const send = (i: number): Promise<unknown> => transport.send(brokerId, metadataRequest()).then(() => answered.push(i));
    const first = Array.from({ length: 100 }, (_, i) => send(i));
    await first[0];
    await Promise.all([...first, ...Array.from({ length: 100 }, (_, i) => send(100 + i))]);
    expect(answered).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it('carries 1 000 requests at once over one connection', async () => {
    const { proxy, transport } = await bench.proxied();
    const counts = await Promise.all(Array.from({ length: 1_000 }, () => countBrokers(transport, brokerId)));
    expect(counts.every((count) => count === 1)).toBe(true);
    expect(proxy.accepted).toBe(1);
  });

  it('opens a connection of its own for each lane', async () => {
    const { proxy, transport } = await bench.proxied();
    await Promise.all(
      (['group', 'data', 'fetch', 'restore', 'admin'] as const).map((lane) => countBrokers(transport, brokerId, lane)),
    );
    expect(proxy.accepted).toBe(5);
  });

  it('refuses a version that the broker does not offer, and goes on', async () => {
    const transport = bench.direct();
    await expect(transport.send(brokerId, { ...metadataRequest(), apiVersion: 99 })).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    });
    expect(await countBrokers(transport, brokerId)).toBe(1);
  });
}

function unreachableBrokers(bench: ContractBench): void {
  it('says that nothing was sent to a broker whose address it does not know', async () => {
    await expect(bench.direct().send(77, metadataRequest())).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('says that nothing was sent where nobody listens, and gets through when somebody does', async () => {
    const gone = await bench.startProxy();
    const { port, address } = gone;
    await gone.close();
    const transport = bench.createTransport(address);
    await expect(transport.send('any', metadataRequest())).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await expect(transport.features('any')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await bench.startProxy(port);
    expect(await countBrokers(transport, 'any')).toBe(1);
  });

  it('says that nothing was sent when the connection is cut before it is ready', async () => {
    const { proxy, transport } = await bench.proxied();
    proxy.refuses = true;
    await expect(transport.send(brokerId, metadataRequest())).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    proxy.refuses = false;
    expect(await countBrokers(transport, brokerId)).toBe(1);
  });

  it('says that nothing was sent when the time is up before the connection is ready', async () => {
    const { proxy, transport } = await bench.proxied();
    proxy.holdAnswers();
    await expect(transport.send(brokerId, metadataRequest({ timeoutMs: 100 }))).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
    });
  });

  it('tries the bootstrap brokers in turn', async () => {
    const gone = await bench.startProxy();
    const { address } = gone;
    await gone.close();
    expect(await countBrokers(bench.createTransport(address, bench.address), 'any')).toBe(1);
  });
}

function lostConnections(bench: ContractBench): void {
  it('says that the outcome is unknown when the connection is cut after sending', async () => {
    const { proxy, transport } = await bench.proxied();
    await countBrokers(transport, brokerId);
    proxy.holdAnswers();
    const answeredBytes = proxy.bytesFromBroker;
    const sent = [transport.send(brokerId, metadataRequest()), transport.send(brokerId, metadataRequest())];
    const outcomes = Promise.allSettled(sent);
    await until(() => proxy.bytesFromBroker > answeredBytes);
    proxy.cut();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'CONNECTION_LOST' } });
  });

  it('opens a new connection after one was lost', async () => {
    const { proxy, transport } = await bench.proxied();
    await countBrokers(transport, brokerId);
    proxy.cut();
    await until(() => proxy.connected === 0);
    const first = await transport.send(brokerId, metadataRequest()).catch((error: unknown) => error);
    if (!Buffer.isBuffer(first)) expect(first).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await countBrokers(transport, brokerId)).toBe(1);
    expect(proxy.accepted).toBe(2);
  });
}

function overdueAnswers(bench: ContractBench): void {
  it('gives up an overdue answer and what came behind it, then starts afresh', async () => {
    const { proxy, transport } = await bench.proxied();
    await countBrokers(transport, brokerId);
    proxy.holdAnswers();
    const outcomes = Promise.allSettled([
      transport.send(brokerId, metadataRequest({ timeoutMs: 100 })),
      transport.send(brokerId, metadataRequest({ timeoutMs: 60_000 })),
    ]);
    expect(await outcomes).toMatchObject([{ reason: { code: 'REQUEST_TIMEOUT' } }, { reason: { code: 'CONNECTION_LOST' } }]);
    proxy.passAnswers();
    expect(await countBrokers(transport, brokerId)).toBe(1);
  });

  it('keeps the other lanes while one waits', async () => {
    const proxied = await bench.proxied();
    // A broker that needs longer for its answer than the request lasts leaves nothing to be held back.
    while (!(await keepsOtherLane(proxied)));
  });
}

/** @returns whether one lane did wait when the other was used */
async function keepsOtherLane({ proxy, transport }: ProxiedTransport): Promise<boolean> {
  await Promise.all([countBrokers(transport, brokerId, 'group'), countBrokers(transport, brokerId, 'data')]);
  proxy.holdAnswers();
  const before = proxy.bytesFromBroker;
  let isOver = false;
  const overdue = transport.send(brokerId, metadataRequest({ lane: 'group', timeoutMs: 200 })).finally(() => {
    isOver = true;
  });
  const failure = expect(overdue).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  await until(() => proxy.bytesFromBroker > before || isOver);
  proxy.passAnswers();
  const waits = !isOver;
  expect(await countBrokers(transport, brokerId, 'data')).toBe(1);
  await failure;
  return waits;
}

function movingBrokers(bench: ContractBench): void {
  it('follows a broker to its new address', async () => {
    const { proxy, transport } = await bench.proxied();
    await countBrokers(transport, brokerId);
    const moved = await bench.startProxy();
    announce(transport, moved.address);
    expect(await countBrokers(transport, brokerId)).toBe(1);
    expect(moved.accepted).toBe(1);
    await until(() => proxy.connected === 0);
  });

  it('says what was sent and what was not when a broker moves', async () => {
    const { proxy, transport } = await bench.proxied();
    await countBrokers(transport, brokerId, 'data');
    proxy.holdAnswers();
    const sent = expect(transport.send(brokerId, metadataRequest())).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    const waiting = transport.send(brokerId, metadataRequest({ lane: 'admin' }));
    const refused = expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    announce(transport, bench.address);
    await Promise.all([sent, refused]);
    expect(await countBrokers(transport, brokerId)).toBe(1);
  });

  it('keeps its connections when the same address is announced again', async () => {
    const { proxy, transport } = await bench.proxied();
    await countBrokers(transport, brokerId);
    announce(transport, proxy.address);
    await countBrokers(transport, brokerId);
    expect(proxy.accepted).toBe(1);
  });
}

function closing(bench: ContractBench): void {
  it('cancels requests in flight, and refuses new ones, when it is closed', async () => {
    const { proxy, transport } = await bench.proxied();
    await countBrokers(transport, brokerId);
    proxy.holdAnswers();
    const inFlight = expect(transport.send(brokerId, metadataRequest())).rejects.toMatchObject({ code: 'CANCELLED' });
    const opening = expect(transport.send(brokerId, metadataRequest({ lane: 'admin' }))).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await transport.close();
    await inFlight;
    await opening;
    await expect(transport.send(brokerId, metadataRequest())).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(transport.features('any')).rejects.toMatchObject({ code: 'CANCELLED' });
    await transport.close();
    await until(() => proxy.connected === 0);
  });

  it('can be closed before it was used', async () => {
    await bench.direct().close();
  });
}
