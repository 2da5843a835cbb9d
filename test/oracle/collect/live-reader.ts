import type { Fetcher, KafkaClient } from '@millrace/client';
import { RecordCursor } from '@millrace/wire';
import type { LiveRecord } from '../evidence/evidence.ts';
import { partitionName } from '../evidence/log-view.ts';

const WAIT_MS = 100;

/** A committed reader that is there while things happen, and remembers what it saw. */
export class LiveReader {
  readonly #client: KafkaClient;
  readonly #fetcher: Fetcher;
  readonly #stop = new AbortController();
  readonly #seen = new Map<string, LiveRecord[]>();
  readonly #positions = new Map<string, number>();
  readonly #loop: Promise<void>;
  readonly #cursor = new RecordCursor();

  constructor(client: KafkaClient) {
    this.#client = client;
    this.#fetcher = client.createFetcher({ isolation: 'read_committed', lane: 'global' });
    this.#loop = this.#run();
  }

  /** Follows a topic from its beginning. */
  watch(topic: string, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      this.#seen.set(partitionName({ topic, partition }), []);
      this.#positions.set(partitionName({ topic, partition }), 0);
      this.#fetcher.assign(topic, partition, 0);
    }
  }

  isWatching(topic: string): boolean {
    return this.#seen.has(partitionName({ topic, partition: 0 }));
  }

  get seen(): ReadonlyMap<string, readonly LiveRecord[]> {
    return this.#seen;
  }

  /** Waits until everything that is stable now has been seen. */
  async catchUp(deadline: AbortSignal): Promise<void> {
    const partitions = [...this.#seen.keys()].map(placeOf);
    const ends = await this.#client.offsets.list(partitions, 'latest-stable');
    while (!deadline.aborted && [...ends].some(([name, end]) => (this.#positions.get(name) ?? 0) < end))
      await this.#fetcher.wait(WAIT_MS, deadline);
  }

  /** Waits until everything that is stable now has been seen, then stops. */
  async finish(deadline: AbortSignal): Promise<void> {
    await this.catchUp(deadline);
    this.#stop.abort();
    await this.#loop;
    await this.#fetcher.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#fetcher.wait(WAIT_MS, signal);
      this.#takeAll();
      for (const { topic, partition, position, error } of this.#fetcher.takeFailures()) {
        // What was purged before it was seen is the oracle's to judge.
        const starts = await this.#client.offsets.list([{ topic, partition }], 'earliest').catch(() => new Map<string, number>());
        const start = starts.get(partitionName({ topic, partition }));
        if (start === undefined || start <= position) throw error;
        this.#fetcher.seek(topic, partition, start);
      }
    }
  }

  #takeAll(): void {
    for (let fetched = this.#fetcher.take(); fetched !== undefined; fetched = this.#fetcher.take()) {
      const name = partitionName(fetched);
      const records = this.#seen.get(name) as LiveRecord[];
      for (const { buffer, header } of fetched.batches) {
        this.#cursor.open(buffer, header, fetched.fetchOffset);
        while (this.#cursor.next()) records.push(recordAt(this.#cursor));
      }
      this.#positions.set(name, fetched.nextOffset);
    }
  }
}

function recordAt({ offset, buffer, keyStart, keyEnd, valueStart, valueEnd }: RecordCursor): LiveRecord {
  return {
    offset,
    key: keyStart < 0 ? undefined : buffer.toString('latin1', keyStart, keyEnd),
    value: valueStart < 0 ? undefined : buffer.toString('latin1', valueStart, valueEnd),
  };
}

function placeOf(name: string): { readonly topic: string; readonly partition: number } {
  const dash = name.lastIndexOf('-');
  return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) };
}
