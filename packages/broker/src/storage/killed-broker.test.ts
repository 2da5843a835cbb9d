import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/core';
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  CommittedBatches,
  endTxn,
  offsetFetch,
  produce,
  RecordCursor,
  txnOffsetCommit,
} from '@millrace/wire';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RawClient } from '../raw-client/raw-client.ts';
import { awaitCoordinators, batchOf, createTopic, initialise, read } from '../raw-client/requests.ts';

const startBrokerModule = new URL('../start-broker.ts', import.meta.url).href;
const program = `
  const { startBroker } = await import(${JSON.stringify(startBrokerModule)});
  const broker = await startBroker({ dataDirectory: process.argv[1], markerDelayMaxMs: 5, transactionAbortIntervalMs: 100 });
  process.stdout.write(String(broker.port));
`;

/** How many have to be committed before the broker is killed. */
const TRANSACTIONS_MIN = 5;

let directory: string;
let child: ChildProcess;

async function startProcess(): Promise<{ host: string; port: number }> {
  const args = ['--conditions=@millrace/source', '--import', 'tsx', '--input-type=module', '-e', program, directory];
  const cwd = fileURLToPath(new URL('../../../..', import.meta.url));
  child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
  return { host: '127.0.0.1', port: Number(port.toString()) };
}

async function kill(): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-killed-'));
});
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) await kill();
  rmSync(directory, { recursive: true, force: true });
});

/** One transaction: the number into both topics, and the number as the offset of the group. */
async function transact(
  client: RawClient,
  producer: { producerId: number; producerEpoch: number },
  number: number,
  sequence: number,
) {
  const { producerId, producerEpoch } = producer;
  const transaction = { transactionalId: 'id', producerId, producerEpoch };
  const topics = ['a', 'b'].map((name) => ({ name, partitions: [0] }));
  for (;;) {
    const { resultsByTopic } = await client.send(addPartitionsToTxn, 3, { ...transaction, topics });
    const code = resultsByTopic[0]?.resultsByPartition[0]?.partitionErrorCode;
    if (code === 0) break;
    if (code !== 51) throw new Error(`AddPartitionsToTxn: ${code}`);
  }
  await client.send(addOffsetsToTxn, 3, { ...transaction, groupId: 'g' });
  const records = () => batchOf([String(number)], { producerId, producerEpoch, baseSequence: sequence, transactional: true });
  const topicData = ['a', 'b'].map((name) => ({ name, partitionData: [{ index: 0, records: records() }] }));
  await client.send(produce, 9, { transactionalId: 'id', acks: -1, timeoutMs: 1000, topicData });
  const offset = { name: 'a', partitions: [{ partitionIndex: 0, committedOffset: number }] };
  await client.send(txnOffsetCommit, 3, { ...transaction, groupId: 'g', generationId: -1, memberId: '', topics: [offset] });
  const { errorCode } = await client.send(endTxn, 3, { ...transaction, committed: true });
  if (errorCode !== 0) throw new Error(`EndTxn: ${errorCode}`);
}

async function committedOffset(client: RawClient): Promise<number> {
  for (;;) {
    const groups = [{ groupId: 'g', topics: [{ name: 'a', partitionIndexes: [0] }] }];
    const found = (await client.send(offsetFetch, 8, { groups, requireStable: true })).groups[0]?.topics[0]?.partitions[0];
    if (found?.errorCode === 0) return found.committedOffset;
  }
}

/** The numbers that a reader of committed records sees. */
async function committedNumbers(client: RawClient, topic: string): Promise<number[]> {
  const numbers: number[] = [];
  const batches = new CommittedBatches();
  const cursor = new RecordCursor();
  for (let offset = 0; ; offset = batches.nextPosition) {
    const answer = await read(client, topic, { offset, isolation: 'read_committed' });
    if (offset >= answer.highWatermark) return numbers;
    const { abortedTransactions } = answer;
    const records = answer.records ?? Buffer.alloc(0);
    batches.open({ records, fetchOffset: offset, isolationLevel: 'read_committed', abortedTransactions });
    while (batches.next()) {
      cursor.open(records, batches.header, offset);
      while (cursor.next()) numbers.push(Number(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd)));
    }
  }
}

it('a broker that is killed again and again keeps every transaction whole', { timeout: 120_000 }, async () => {
  let acknowledged = 0;
  for (let round = 0; round < 4; round++) {
    const address = await startProcess();
    using client = await RawClient.connect(address);
    await awaitCoordinators(client);
    for (const topic of ['a', 'b']) await createTopic(client, topic);
    const producer = await initialise(client, 'id');
    const committed = Math.max(0, await committedOffset(client));
    expect(committed).toBeGreaterThanOrEqual(acknowledged);
    const numbers = await committedNumbers(client, 'a');
    expect(numbers).toEqual(Array.from({ length: committed }, (_, index) => index + 1));
    expect(await committedNumbers(client, 'b')).toEqual(numbers);
    let killed: Promise<void> | undefined;
    try {
      for (let sequence = 0; ; sequence++) {
        await transact(client, producer, committed + sequence + 1, sequence);
        acknowledged = committed + sequence + 1;
        // Not before some are done, and then somewhere in the transactions that follow.
        if (sequence === TRANSACTIONS_MIN) killed = systemClock.sleep(50 + round * 77).then(kill);
      }
    } catch (error) {
      expect(String(error)).toMatch(/closed|ECONNRESET/);
    }
    expect(killed).toBeDefined();
    await killed;
  }
  expect(acknowledged).toBeGreaterThan(10);
});
