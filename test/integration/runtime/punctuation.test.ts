import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { OutputRecord } from './cluster.ts';
import { numberedRecords } from './numbered-records.ts';
import { writeWhile } from './shared-work.ts';
import { TestApplication } from './test-application.ts';
import type { Beat } from './ticking.ts';

const PARTITIONS = 2;
const WORKLOAD = { keys: 10, perKey: 60, perSecond: 100 };
const KILLS = 4;
/** Of each task, of each worker before it is killed; fewer would say little about ticks beside commits. */
const TICKS_MIN = 50;

function beatsOf(records: readonly OutputRecord[], partition: number): Beat[] {
  return records
    .map(({ value }) => JSON.parse(String(value)) as Beat)
    .filter(({ task }) => task === `0_${partition}`)
    .toSorted((one, other) => one.n - other.n);
}

/** How many ticks there are of each task. Asked again and again while there are more: without parsing them all. */
function ticksOf(records: readonly OutputRecord[]): number[] {
  const ticks = records.filter(({ key }) => key === 'tick');
  return Array.from(
    { length: PARTITIONS },
    (_, partition) => ticks.filter(({ value }) => value?.includes(`"task":"0_${partition}"`)).length,
  );
}

/** Waits until each task has ticked so often again, and some of its ticks are committed. */
async function tickedOn({ cluster, output }: TestApplication): Promise<void> {
  const before = ticksOf(await cluster.read(output));
  const isEnough = (ticks: number, partition: number): boolean => ticks >= (before[partition] ?? 0) + TICKS_MIN;
  await cluster.readUntil(output, (records) => ticksOf(records).every(isEnough));
}

describeWithKafka('F46 punctuators that write and read ranges while commits go on', (brokers) => {
  it('leave each beat once and in order, with what was counted until then, although processes die', async () => {
    await using application = await TestApplication.create({
      brokers,
      topology: 'ticking',
      partitions: PARTITIONS,
      settings: { commitIntervalMs: 20 },
    });
    let worker = application.worker();
    await worker.running();
    const { rounds } = await writeWhile(application, WORKLOAD, async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        await tickedOn(application);
        await worker.kill();
        // With the state of the one before, and without, in turns.
        worker = application.worker(kill % 2 === 0 ? {} : { stateDir: `${application.stateDir}/${kill}` });
        await worker.running();
      }
    });
    await application.drained();
    await tickedOn(application);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });

    const found = await application.cluster.read(application.output);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      // Ticks have a key of their own, and with it a partition.
      const own = beatsOf(found, partition);
      expect(
        own.map(({ n }) => n),
        application.log,
      ).toEqual(own.map((_beat, index) => index + 1));
      let counted = 0;
      for (const beat of own) {
        if (beat.record !== undefined) counted++;
        expect(beat.counted, application.log).toBe(counted);
      }
    }
    const taken = found.flatMap(({ value }) => (JSON.parse(String(value)) as Beat).record ?? []);
    expect(taken.toSorted()).toEqual(
      numberedRecords(WORKLOAD.keys, rounds)
        .map(({ key, value }) => `${key} ${value}`)
        .toSorted(),
    );
  });
});
