import type { KafkaClient } from '@millrace/client';
import { systemClock } from '@millrace/core';
import { type Ledger, repartitionOf } from '../../oracle/ledger/ledger.ts';
import type { PurgeSample } from '../../oracle/evidence/evidence.ts';

const INTERVAL_MS = 500;

/** Looks again and again whether the repartition topic begins behind what its reader has committed. */
export class PurgeWatch {
  readonly samples: PurgeSample[] = [];
  readonly #client: KafkaClient;
  readonly #ledger: Ledger;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(client: KafkaClient, ledger: Ledger) {
    this.#client = client;
    this.#ledger = ledger;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#sample(signal).catch(() => undefined);
      await systemClock.sleep(INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { applicationId, partitions: count } = this.#ledger;
    const topic = repartitionOf(this.#ledger);
    const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    // The start first: what is committed meanwhile makes the comparison milder, never wrong.
    const starts = await this.#client.offsets.list(partitions, 'earliest', signal);
    for (const { partition, offset } of await this.#client.offsets.committed(applicationId, partitions, signal)) {
      const logStartOffset = starts.get(`${topic}-${partition}`) ?? 0;
      this.samples.push({ topic, partition, logStartOffset, committedOffset: offset });
    }
  }
}
