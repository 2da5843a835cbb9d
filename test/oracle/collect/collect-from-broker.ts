import { createKafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { silentLogger } from '@millrace/core';
import type { Evidence } from '../evidence/evidence.ts';
import { partitionName } from '../evidence/log-view.ts';
import { allTopics, consumedTopics, type Ledger } from '../ledger/ledger.ts';
import { RawLogReader } from './raw-log-reader.ts';

/** What a broker knows about a run that is over. */
export async function collectFromBroker(
  brokers: string,
  ledger: Ledger,
): Promise<Pick<Evidence, 'logs' | 'committedOffsets' | 'groupMembers'>> {
  const consumed = consumedTopics(ledger);
  await using reader = new RawLogReader(brokers);
  const logs = await reader.read(allTopics(ledger));
  const client = createKafkaClient({
    transport: createSocketTransport({ brokers: brokers.split(','), clientId: 'oracle', logger: silentLogger }),
  });
  try {
    const partitions = [...logs.values()].filter(({ topic }) => consumed.includes(topic));
    const committed = await client.offsets.committed(
      ledger.applicationId,
      partitions.map(({ topic, partition }) => ({ topic, partition })),
    );
    const { members } = await client.admin.describeGroup(ledger.applicationId);
    const committedOffsets = new Map(committed.map((one) => [partitionName(one), one.offset]));
    return { logs, committedOffsets, groupMembers: members.length };
  } finally {
    await client.close();
  }
}
