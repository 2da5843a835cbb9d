import type { KafkaClient, Producer, TopicHandle } from '@millrace/client';
import { NO_HEADERS, type Random, seededRandom, systemClock } from '@millrace/core';
import { partitionForKey } from '@millrace/wire';
import { barrierPrefix, GRACE_MS, type Ledger, type LedgerEntry, topicOf, WINDOW_MS } from '../../oracle/ledger/ledger.ts';

/** Event time between two records of the input. */
const STEP_MS = 10;
/** Records are up to so much older than the newest: less than grace, so that none is late. */
const DISORDER_MS = 2000;
/** Every so many keys of the table is deleted again. */
const DELETED_EVERY = 7;
const FEED_INTERVAL_MS = 50;

export type LedgerExtra = Pick<LedgerEntry, 'order' | 'padding' | 'schema'>;

/** Writes the input of a ledger: gapless numbers per partition, unique ids, event time a little out of order. */
export class LedgerSource {
  /** What every record carries from now on, to be larger. */
  padding: string | undefined;
  readonly #ledger: Ledger;
  readonly #producer: Producer;
  readonly #random: Random;
  readonly #baseMs: number;
  readonly #sequences: number[];
  readonly #keys: readonly string[];
  #written = 0;
  #feeding: Promise<void> | undefined;
  #stopsFeeding = false;

  /**
   * @param baseMs event time of the first record
   * @param keys how many different keys there are
   */
  constructor(ledger: Ledger, client: KafkaClient, seed: number, baseMs = systemClock.nowMs(), keys = 60) {
    this.#ledger = ledger;
    this.#producer = client.createProducer();
    this.#baseMs = baseMs;
    this.#random = seededRandom(seed);
    this.#sequences = Array.from({ length: ledger.partitions }, () => 0);
    this.#keys = Array.from({ length: keys }, (_, n) => `key-${n}`);
  }

  /** Records written so far. */
  get written(): number {
    return this.#written;
  }

  /** Fills the table; nothing of it changes later, so each join has one right result. */
  async writeRates(): Promise<void> {
    const topic = await this.#producer.topic(topicOf(this.#ledger, 'rates'));
    for (const [n, key] of this.#keys.entries()) {
      this.#append(topic, key, String(n), this.#baseMs - 10_000);
      if (n % DELETED_EVERY === 0) this.#append(topic, key, undefined, this.#baseMs - 9000);
    }
    await this.#producer.flush();
  }

  /** @param extra what the first of them tells the workload to do, or makes it large */
  async write(records: number, extra: LedgerExtra = {}): Promise<void> {
    const topic = await this.#producer.topic(topicOf(this.#ledger, 'in'));
    for (let n = 0; n < records; n++) {
      const key = this.#keys[Math.floor(this.#random.next() * this.#keys.length)] as string;
      this.#record(topic, key, n === 0 ? extra : {});
    }
    await this.#producer.flush();
  }

  /** Writes bytes that are no record of the ledger. */
  async writeRaw(key: string, value: Buffer): Promise<void> {
    const topic = await this.#producer.topic(topicOf(this.#ledger, 'in'));
    const keyBytes = Buffer.from(key);
    const to = partitionForKey(keyBytes, 0, keyBytes.length, topic.partitions);
    const now = this.#baseMs + this.#written * STEP_MS;
    this.#producer.append(topic, to, now, keyBytes, 0, keyBytes.length, value, 0, value.length, NO_HEADERS);
    await this.#producer.flush();
  }

  /** Writes all the time, until {@link rest}. */
  feed(perSecond: number): void {
    this.#stopsFeeding = false;
    this.#feeding = (async () => {
      const chunk = Math.max(1, Math.round((perSecond * FEED_INTERVAL_MS) / 1000));
      while (!this.#stopsFeeding) {
        const startedAtMs = systemClock.monotonicMs();
        await this.write(chunk);
        await systemClock.sleep(Math.max(1, startedAtMs + FEED_INTERVAL_MS - systemClock.monotonicMs()));
      }
    })();
    // Looked at by `rest`; a broker that is away for a while must not end the test process.
    this.#feeding.catch(() => undefined);
  }

  async rest(): Promise<void> {
    this.#stopsFeeding = true;
    await this.#feeding;
    this.#feeding = undefined;
  }

  /** Closes all windows: one record far ahead at the end of each partition. */
  async writeBarriers(): Promise<void> {
    await this.rest();
    const topic = await this.#producer.topic(topicOf(this.#ledger, 'in'));
    const farAhead = this.#baseMs + this.#written * STEP_MS + 10 * (WINDOW_MS + GRACE_MS);
    for (let partition = 0; partition < this.#ledger.partitions; partition++)
      this.#record(topic, barrierKey(partition, this.#ledger.partitions), {}, farAhead);
    await this.#producer.flush();
  }

  async close(): Promise<void> {
    this.#stopsFeeding = true;
    await this.#feeding?.catch(() => undefined);
    await this.#producer.close(true);
  }

  #record(topic: TopicHandle, key: string, extra: LedgerExtra, timestamp = this.#nextTimestamp()): void {
    const keyBytes = Buffer.from(key);
    const partition = partitionForKey(keyBytes, 0, keyBytes.length, topic.partitions);
    const seq = this.#sequences[partition] as number;
    this.#sequences[partition] = seq + 1;
    const v = 1 + Math.floor(this.#random.next() * 100);
    const { padding } = this;
    const entry: LedgerEntry = { id: `${partition}-${seq}`, seq, v, ...(padding === undefined ? {} : { padding }), ...extra };
    this.#append(topic, key, JSON.stringify(entry), timestamp);
  }

  #nextTimestamp(): number {
    return this.#baseMs + this.#written++ * STEP_MS - Math.floor(this.#random.next() * DISORDER_MS);
  }

  #append(topic: TopicHandle, key: string, value: string | undefined, timestamp: number): void {
    const keyBytes = Buffer.from(key);
    const valueBytes = Buffer.from(value ?? '');
    const to = partitionForKey(keyBytes, 0, keyBytes.length, topic.partitions);
    const valueStart = value === undefined ? -1 : 0;
    this.#producer.append(
      topic,
      to,
      timestamp,
      keyBytes,
      0,
      keyBytes.length,
      valueBytes,
      valueStart,
      valueBytes.length,
      NO_HEADERS,
    );
  }
}

/** A key that belongs to the partition. */
function barrierKey(partition: number, partitions: number): string {
  for (let n = 0; ; n++) {
    const key = Buffer.from(`${barrierPrefix(partition)}${n}`);
    if (partitionForKey(key, 0, key.length, partitions) === partition) return key.toString();
  }
}
