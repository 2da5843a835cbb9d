import { afterAll, beforeAll, expect, it } from 'vitest';
import { type KafkaBroker, startKafka } from '../../kafka/broker.ts';
import { describeWithSecureKafka } from '../kafka-under-test.ts';
import { countedOnce, numberedRecords, sorted, valuesByKey } from './numbered-records.ts';
import { TestApplication } from './test-application.ts';

// A broker of its own, since it dies; where ours can run at all is where the secured one does.
describeWithSecureKafka('workers whose broker goes away and comes back', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  });
  afterAll(() => broker.stop());

  it.each([
    ['is restarted', (): Promise<void> => broker.restart()],
    ['is killed and started', (): Promise<void> => broker.kill().then(() => broker.restart())],
  ])('go on and count exactly once when it %s', { timeout: 120_000 }, async (_how, restart) => {
    await using application = await TestApplication.create({ brokers: broker.brokers });
    const { cluster, input, output } = application;
    const workers = [application.worker(), application.worker()];
    for (const worker of workers) await worker.running();
    await cluster.write(input, numberedRecords(20, 100));
    await cluster.readUntil(output, ({ length }) => length > 100);
    await restart();
    await cluster.write(input, numberedRecords(20, 100, 101));
    await application.drained();
    for (const worker of workers) expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(sorted(valuesByKey(await cluster.read(output))), application.log).toEqual(sorted(countedOnce(20, 200)));
  });
});
