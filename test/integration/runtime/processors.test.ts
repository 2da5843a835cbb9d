import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import type { OutputRecord } from './cluster.ts';
import { valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';

/** How many keys each tick has found, before and after the first answer with the total: the input up to there was processed. */
function ticksAround(records: readonly OutputRecord[]): { readonly before: number[]; readonly after: number[] } {
  const first = records.findIndex(({ key }) => key === 'total');
  const total = first < 0 ? records.length : first;
  const ticks = (some: readonly OutputRecord[]): number[] =>
    some.filter(({ key }) => key === 'keys').map(({ value }) => Number(value?.toString()));
  return { before: ticks(records.slice(0, total)), after: ticks(records.slice(total)) };
}

describeWithKafka('processors of a running application', (brokers) => {
  it('may await ranges of their stores, and are called by the wall clock, exactly once', async () => {
    await using application = await TestApplication.create({ brokers, partitions: 1, topology: 'ranging' });
    const { cluster, input, output } = application;
    await cluster.write(input, [
      ...Array.from({ length: 100 }, (_, index) => ({ key: `key-${index % 10}`, value: String(index) })),
      { key: 'total', value: 'all' },
    ]);
    const worker = application.worker();
    await application.drained();
    // Nothing arrives any more: only the clock calls.
    await cluster.readUntil(output, (records) => ticksAround(records).after.length >= 3);
    await worker.kill();

    const heir = application.worker();
    await cluster.write(input, [
      { key: 'key-0', value: '50' },
      { key: 'total', value: 'all' },
    ]);
    await application.drained();
    expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    const records = await cluster.read(output);
    expect(valuesByKey(records).get('total')).toEqual(['4950', '5000']);
    const { before, after } = ticksAround(records);
    // The clock does not wait for the input: a tick may find some of it.
    expect(before).toEqual(before.toSorted((one, other) => one - other));
    expect(new Set(after)).toEqual(new Set([10]));
  });
});
