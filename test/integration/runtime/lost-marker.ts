import { systemClock } from '@millrace/core';
import type { TestApplication } from './test-application.ts';

/** How often a test begins again when the broker has lost a marker. */
export const LOST_MARKERS_MAX = 10;
/** The looks at which nothing has to be open and the offsets undecided, and how long each waits for them. */
const LOOKS = 4;
const LOOK_MS = 2_000;

/**
 * Waits until all input is committed, or it is certain that the broker has lost a marker: no transaction of the application is open
 * or about to end, and its offsets stay undecided all the same, though their coordinator answers. No client can do anything about that.
 *
 * Seen with Kafka 4.3.1 when it ends, be it by SIGTERM, before all markers of a transaction are written; in __consumer_offsets and in
 * a changelog.
 */
export async function drainedOrLost(application: TestApplication): Promise<'drained' | 'marker lost'> {
  const done = new AbortController();
  try {
    return await Promise.race([
      application.drained().then(() => 'drained' as const),
      markerLost(application, done.signal).then(() => 'marker lost' as const),
    ]);
  } finally {
    done.abort();
  }
}

/** Resolves when a marker is lost; never when `signal` comes before. */
async function markerLost({ cluster, id, input }: TestApplication, signal: AbortSignal): Promise<void> {
  const partitions = await cluster.partitions(input);
  for (let looks = 0; !signal.aborted; ) {
    const decided = await cluster.client.offsets.committed(id, partitions, AbortSignal.timeout(LOOK_MS)).then(
      () => true,
      () => false,
    );
    const open = await cluster.client.admin.listOpenTransactions().catch(() => [id]);
    // One that is still loading them, or stands still, has lost nothing: it is waited for, and asked once more.
    await cluster.client.admin.describeGroup(id);
    looks = decided || open.some((one) => one.startsWith(id)) ? 0 : looks + 1;
    if (looks === LOOKS) return;
    if (decided) await systemClock.sleep(LOOK_MS);
  }
  await new Promise<never>(() => undefined);
}
