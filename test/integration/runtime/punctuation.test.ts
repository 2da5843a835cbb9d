import { systemClock } from '@millrace/core';
import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { OutputRecord } from './cluster.ts';
import { numberedRecords } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';
import type { Beat } from './ticking.ts';

const PARTITIONS = 2;
const KEYS = 10;
const PER_KEY = 60;
const KILLS = 4;
/** Of each task; fewer would say little about ticks beside commits. */
const TICKS_MIN = 50;

function beatsOf(records: readonly OutputRecord[], partition: number): Beat[] {
  return records
    .map(({ value }) => JSON.parse(String(value)) as Beat)
    .filter(({ task }) => task === `0_${partition}`)
    .toSorted((one, other) => one.n - other.n);
}

function haveTicked(records: readonly OutputRecord[]): boolean {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  return partitions.every(
    (partition) => beatsOf(records, partition).filter(({ record }) => record === undefined).length >= TICKS_MIN,
  );
}

describeWithKafka('F46 punctuators that write and read ranges while commits go on', (brokers) => {
  it('leave each beat once and in order, with what was counted until then, although processes die', async () => {
    await using application = await TestApplication.create({
      brokers,
      topology: 'ticking',
      partitions: PARTITIONS,
      settings: { commitIntervalMs: 20 },
    });
    const { cluster, input, output } = application;
    const records = numberedRecords(KEYS, PER_KEY);
    let worker = application.worker();
    await worker.running();
    const written = cluster.writeSlowly(input, records, 100);
    for (let kill = 0; kill < KILLS; kill++) {
      await systemClock.sleep(800);
      await worker.kill();
      // With the state of the one before, and without, in turns.
      worker = application.worker(kill % 2 === 0 ? {} : { stateDir: `${application.stateDir}/${kill}` });
      await worker.running();
    }
    await written;
    await application.drained();
    await cluster.readUntil(output, haveTicked);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });

    const found = await cluster.read(output);
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
    expect(taken.toSorted()).toEqual(records.map(({ key, value }) => `${key} ${value}`).toSorted());
  });
});
