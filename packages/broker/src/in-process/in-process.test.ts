import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describeCluster, produce } from '@millrace/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DevBroker } from '../dev-broker.ts';
import { RawClient } from '../raw-client/raw-client.ts';
import { append, batchOf, createTopic, read, textsIn } from '../raw-client/requests.ts';
import { startBroker } from '../start-broker.ts';
import type { Transfer } from './transfer.ts';

describe('a connection within the process', () => {
  let broker: DevBroker;
  beforeEach(async () => {
    broker = await startBroker({ listen: false, nodes: 2 });
  });
  afterEach(() => broker.stop());

  const connect = (nodeId?: number) => new RawClient(broker.connect(nodeId === undefined ? {} : { nodeId }).socket);

  it('needs no port, and leads to the node that is asked for', async () => {
    const { brokers } = await connect().send(describeCluster, 0, {});
    expect(brokers.map(({ brokerId, port }) => `${brokerId}:${port}`)).toEqual(['1:9092', '2:9093']);
    await createTopic(connect(), 't');
    broker.moveLeader('t', 0, 2);
    expect((await append(connect(1), 't', batchOf(['a']))).errorCode).toBe(6);
    expect((await append(connect(2), 't', batchOf(['a']))).errorCode).toBe(0);
    expect(() => connect(3)).toThrow('no node 3; its nodes are 1 at port 9092, 2 at port 9093');
  });

  it('does not listen: the port may belong to somebody else, who gets what is sent there', async () => {
    // A port that is ours, instead of 9092, at which there may be a Kafka on the machine.
    const accepted: Socket[] = [];
    const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using other = await startBroker({ listen: false, port });
    expect(other.bootstrapServers).toBe(`127.0.0.1:${port}`);
    using client = await RawClient.connect({ host: '127.0.0.1', port });
    const waiting = client.send(describeCluster, 0, {});
    await expect.poll(() => accepted.length).toBe(1);
    for (const socket of accepted) socket.destroy();
    await expect(waiting).rejects.toThrow('closed');
    server.close();
    await once(server, 'close');
  });

  it('carries what is larger than any buffer, in both directions', async () => {
    const client = connect();
    await createTopic(client, 't', 1, { 'max.message.bytes': '5000000' });
    broker.moveLeader('t', 0, 1);
    const large = 'x'.repeat(3_000_000);
    expect((await append(client, 't', batchOf([large]))).errorCode).toBe(0);
    expect(textsIn((await read(client, 't', { maxBytes: 5_000_000 })).records)).toEqual([`0:${large}`]);
  });

  it('delivers when the schedule says so, and keeps the order of each direction', async () => {
    const transfers: Transfer[] = [];
    const { socket } = broker.connect({ schedule: (transfer) => transfers.push(transfer) });
    const client = new RawClient(socket);
    const answers: number[] = [];
    for (let i = 0; i < 2; i++) void client.send(describeCluster, 0, {}).then(() => answers.push(i));
    await expect.poll(() => transfers.length).toBeGreaterThan(0);
    for (let i = 0; answers.length < 2; i++) {
      await expect.poll(() => transfers.length).toBeGreaterThan(i);
      expect(transfers[i]?.direction).toBeDefined();
      // The one behind first: it arrives with the one in front.
      transfers[i + 1]?.deliver();
      transfers[i]?.deliver();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(answers).toEqual([0, 1]);
    expect(new Set(transfers.map(({ connection, nodeId }) => `${connection}/${nodeId}`))).toEqual(new Set(['1/1']));
  });

  it('is cut like a network: what was on its way is lost, and the broker hears of it', async () => {
    const transfers: Transfer[] = [];
    const { socket, cut } = broker.connect({ schedule: (transfer) => transfers.push(transfer) });
    const client = new RawClient(socket);
    const errors: unknown[] = [];
    socket.on('error', (error) => errors.push(error));
    await createTopic(connect(), 't');
    broker.moveLeader('t', 0, 1);
    client.post(produce, 9, {
      acks: 0,
      timeoutMs: 1000,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['a']) }] }],
    });
    const waiting = client.send(describeCluster, 0, {});
    cut();
    await expect(waiting).rejects.toThrow('closed');
    for (const { deliver } of transfers) deliver();
    expect(errors).toMatchObject([{ code: 'ECONNRESET' }]);
    expect((await read(connect(), 't')).highWatermark).toBe(0);
  });

  it('ends on both sides when one side closes it, or the broker stops', async () => {
    const { socket } = broker.connect();
    const client = new RawClient(socket);
    await createTopic(connect(), 't');
    broker.moveLeader('t', 0, 1);
    const waiting = read(client, 't', { maxWaitMs: 60_000 });
    await broker.stop();
    await expect(waiting).rejects.toThrow('closed');
    expect(() => broker.connect()).toThrow('stopped');
  });

  it('has the data before the end that follows them', async () => {
    const { socket } = broker.connect();
    broker.faults.add({ api: 'DescribeCluster', fault: { kind: 'truncate', bytes: 9 } });
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    const client = new RawClient(socket);
    await expect(client.send(describeCluster, 0, {})).rejects.toThrow('closed');
    expect(Buffer.concat(received)).toHaveLength(9);
  });
});
