import type { KafkaClient } from '@millrace/client';
import { RecordCursor } from '@millrace/wire';

const WAIT_MS = 5000;

/** Called for each record, in the order of its partition; an absent value is a tombstone. */
export type RecordVisitor = (key: string, value: string | undefined, timestamp: number, partition: number) => void;

/**
 * Reads the committed records of a topic from its beginning to its end as it is now. Returns how many there were.
 *
 * @throws Error when a transaction is still open at the end, or a partition cannot be read
 */
export async function readTopic(client: KafkaClient, topic: string, visit: RecordVisitor): Promise<number> {
  const description = (await client.admin.describeTopics([topic])).get(topic);
  if (description === undefined) throw new Error(`there is no topic ${topic}`);
  const partitions = Array.from({ length: description.partitions }, (_, partition) => ({ topic, partition }));
  const ends = await client.offsets.list(partitions, 'latest');
  const endOf = (partition: number): number => ends.get(`${topic}-${partition}`) ?? 0;
  const fetcher = client.createFetcher({ isolation: 'read_committed' });
  const cursor = new RecordCursor();
  let records = 0;
  try {
    for (const { partition } of partitions) fetcher.assign(topic, partition, 0);
    while (partitions.some(({ partition }) => fetcher.position(topic, partition) < endOf(partition))) {
      await fetcher.wait(WAIT_MS);
      const [failure] = fetcher.takeFailures();
      if (failure !== undefined) throw failure.error;
      if (!fetcher.available) throw new Error(`${topic} cannot be read to its end: is a transaction open?`);
      for (let fetched = fetcher.take(); fetched !== undefined; fetched = fetcher.take()) {
        for (const { buffer, header } of fetched.batches) {
          cursor.open(buffer, header, fetched.fetchOffset);
          for (; cursor.next(); records++) {
            const text = (start: number, end: number): string => cursor.buffer.toString('utf8', start, end);
            const value = cursor.valueStart < 0 ? undefined : text(cursor.valueStart, cursor.valueEnd);
            visit(text(cursor.keyStart, cursor.keyEnd), value, cursor.timestamp, fetched.partition);
          }
        }
      }
    }
  } finally {
    await fetcher.close();
  }
  return records;
}
