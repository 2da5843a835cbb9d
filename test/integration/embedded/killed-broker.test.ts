import { RawClient } from '@millrace/broker/raw-client';
import { type Random, seededRandom, systemClock } from '@millrace/core';
import { listTransactions } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import type { OutputRecord } from '../runtime/cluster.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from '../runtime/numbered-records.ts';
import { TestApplication } from '../runtime/test-application.ts';
import type { TopologyName } from '../runtime/topologies.ts';
import { BrokerProcess } from './broker-process.ts';

const KEYS = 20;
const KILLS = 4;
/** Between a round of records, one for each key, and the next one. */
const ROUND_EVERY_MS = 50;

/** What each key's records must be after some rounds, whatever happened meanwhile: every count once, in order. */
const expectedOf = {
  counting: (rounds: number) => countedOnce(KEYS, rounds),
  // Each number occurs once with every key; between the two counts lies a repartition topic.
  countingByValue: (rounds: number) =>
    new Map(
      Array.from({ length: rounds }, (_, number) => [
        String(number + 1),
        Array.from({ length: KEYS }, (_, count) => String(count + 1)),
      ]),
    ),
} satisfies Partial<Record<TopologyName, (rounds: number) => ReadonlyMap<string, string[]>>>;

/** Kills the broker and starts it again; how and when is the scenario's. */
type Interrupt = (broker: BrokerProcess, random: Random) => Promise<void>;

/** Writes one round after another until it is told to end, so that there is always work when the broker is killed. */
async function writeRounds({ cluster, input }: TestApplication, end: AbortSignal): Promise<number> {
  let rounds = 0;
  do {
    rounds++;
    await cluster.write(input, numberedRecords(KEYS, 1, rounds));
    await systemClock.sleep(ROUND_EVERY_MS);
  } while (!end.aborted);
  return rounds;
}

/** @returns how many rounds were written meanwhile */
async function interruptWhileWriting(application: TestApplication, interrupt: () => Promise<void>): Promise<number> {
  const end = new AbortController();
  const interrupted = async (): Promise<void> => {
    try {
      for (let kill = 0; kill < KILLS; kill++) await interrupt();
    } finally {
      end.abort();
    }
  };
  const [rounds] = await Promise.all([writeRounds(application, end.signal), interrupted()]);
  return rounds;
}

async function survives(
  topology: keyof typeof expectedOf,
  { seed, markerDelayMaxMs, interrupt }: { seed: number; markerDelayMaxMs: number; interrupt: Interrupt },
): Promise<void> {
  const random = seededRandom(seed);
  await using broker = await BrokerProcess.start({ markerDelayMaxMs });
  await using application = await TestApplication.create({ brokers: broker.brokers, topology });
  const { cluster, output } = application;
  const workers = [application.worker(), application.worker()];
  for (const worker of workers) await worker.running();
  const rounds = await interruptWhileWriting(application, () => interrupt(broker, random));
  // What is drained may still lie in the repartition topic.
  await application.drained();
  await cluster.readUntil(output, ({ length }) => length >= KEYS * rounds);
  for (const worker of workers) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
  await cluster.settled(application.prefix);
  const records: readonly OutputRecord[] = await cluster.read(output);
  expect(sorted(valuesByKey(records)), application.log).toEqual(sorted(expectedOf[topology](rounds)));
}

/** At any time, and for a while or not at all. */
async function killAtAnyTime(broker: BrokerProcess, random: Random): Promise<void> {
  await systemClock.sleep(random.next() * 1000);
  await broker.kill();
  if (random.next() < 0.5) await systemClock.sleep(random.next() * 1500);
  await broker.restart();
}

/** When the end of a transaction is decided and some of its markers, which come late, are written and some are not. */
async function killWhileCompleting(broker: BrokerProcess, random: Random): Promise<void> {
  await systemClock.sleep(random.next() * 300);
  using client = await RawClient.connect(broker.brokers);
  const isCompleting = async (): Promise<boolean> => {
    const wanted = { stateFilters: ['PrepareCommit'], producerIdFilters: [] };
    return (await client.send(listTransactions, 0, wanted)).transactionStates.length > 0;
  };
  do {
    while (!(await isCompleting())) await systemClock.sleep(1);
    // Some of the markers come meanwhile; when all of them have come, another transaction has to do.
    await systemClock.sleep(random.next() * 200);
  } while (!(await isCompleting()));
  await broker.kill();
  await broker.restart();
}

describe('an application that counts exactly once, on a development broker that is killed again and again', {
  timeout: 240_000,
}, () => {
  it.each([
    { seed: 1, topology: 'counting' },
    { seed: 2, topology: 'countingByValue' },
    { seed: 3, topology: 'counting' },
  ] as const)('at any time: $topology, seed $seed', ({ seed, topology }) =>
    survives(topology, { seed, markerDelayMaxMs: 20, interrupt: killAtAnyTime }),
  );

  it.each([
    { seed: 4, topology: 'counting' },
    { seed: 5, topology: 'countingByValue' },
  ] as const)('while a transaction is being completed: $topology, seed $seed', ({ seed, topology }) =>
    survives(topology, { seed, markerDelayMaxMs: 1000, interrupt: killWhileCompleting }),
  );
});
