import { expect, it } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';

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
    await cluster.readUntil(output, (records) => (valuesByKey(records).get('keys')?.length ?? 0) >= 3);
    await worker.kill();

    const heir = application.worker();
    await cluster.write(input, [
      { key: 'key-0', value: '50' },
      { key: 'total', value: 'all' },
    ]);
    await application.drained();
    expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
    const values = valuesByKey(await cluster.read(output));
    expect(values.get('total')).toEqual(['4950', '5000']);
    expect(new Set(values.get('keys'))).toEqual(new Set(['10']));
  });
});
