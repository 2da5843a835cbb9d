import { silentLogger, systemClock, systemRandom, type Clock, type Logger, type Metrics, type Random } from '@millrace/core';
import { ClusterAdmin } from './admin/cluster-admin.ts';
import { type ClientPart, Cluster } from './cluster/cluster.ts';
import { BackgroundFetcher } from './fetch/background-fetcher.ts';
import { ClassicGroupMember } from './group/classic-group-member.ts';
import { StreamsGroupMember } from './group/streams-group-member.ts';
import { ClusterOffsets } from './offsets/cluster-offsets.ts';
import type {
  FetcherOptions,
  GroupMemberOptions,
  KafkaClient,
  ProducerOptions,
  TransactionalProducerOptions,
} from './port/kafka-client.ts';
import type { StreamsGroupMemberOptions } from './port/streams-group.ts';
import type { Transport } from './port/transport.ts';
import { BatchingProducer } from './produce/batching-producer.ts';
import { ExactlyOnceProducer } from './transaction/exactly-once-producer.ts';

/** Settings and components of {@link createKafkaClient}. */
export interface KafkaClientOptions {
  /** Carries the requests. The client closes it with itself. */
  readonly transport: Transport;
  /** Names the client in log lines; brokers learn the transport's. */
  readonly clientId?: string;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the machine's. */
  readonly random?: Random;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: none. */
  readonly metrics?: Metrics;
  /**
   * After this a request counts as lost. Lower: broken connections are noticed sooner; it must stay above what a broker may
   * need to replicate. Unit ms · default 30 000. Kafka: `request.timeout.ms`.
   */
  readonly requestTimeoutMs?: number;
  /** Topics are looked up again after this time, even if nothing failed. Unit ms · default 300 000. Kafka: `metadata.max.age.ms`. */
  readonly metadataMaxAgeMs?: number;
}

const DEFAULTS = { requestTimeoutMs: 30_000, metadataMaxAgeMs: 300_000 } as const;

/**
 * Makes the client that the runtime talks to Kafka with.
 *
 * @example
 * const transport = createSocketTransport({ brokers: ['localhost:9092'], clientId: 'orders' });
 * const client = createKafkaClient({ transport });
 */
export function createKafkaClient(options: KafkaClientOptions): KafkaClient {
  return new WireKafkaClient(options);
}

class WireKafkaClient implements KafkaClient {
  readonly admin: ClusterAdmin;
  readonly offsets: ClusterOffsets;
  readonly #cluster: Cluster;
  #closing: Promise<void> | undefined;

  constructor(options: KafkaClientOptions) {
    const logger = options.logger ?? silentLogger;
    this.#cluster = new Cluster({
      transport: options.transport,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      logger: options.clientId === undefined ? logger : logger.child({ clientId: options.clientId }),
      metrics: options.metrics,
      requestTimeoutMs: options.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs,
      metadataMaxAgeMs: options.metadataMaxAgeMs ?? DEFAULTS.metadataMaxAgeMs,
    });
    this.admin = new ClusterAdmin(this.#cluster);
    this.offsets = new ClusterOffsets(this.#cluster);
  }

  createGroupMember(options: GroupMemberOptions): ClassicGroupMember {
    return this.#own(new ClassicGroupMember(this.#cluster, options));
  }

  createStreamsGroupMember(options: StreamsGroupMemberOptions): StreamsGroupMember {
    return this.#own(new StreamsGroupMember(this.#cluster, options));
  }

  createFetcher(options?: FetcherOptions): BackgroundFetcher {
    return this.#own(new BackgroundFetcher(this.#cluster, options));
  }

  createProducer(options?: ProducerOptions): BatchingProducer {
    return this.#own(new BatchingProducer(this.#cluster, options));
  }

  createTransactionalProducer(options: TransactionalProducerOptions): ExactlyOnceProducer {
    return this.#own(new ExactlyOnceProducer(this.#cluster, this.offsets, options));
  }

  #own<T extends ClientPart>(made: T): T {
    this.#cluster.openParts.add(made);
    return made;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Unsent records of producers that were not closed before are dropped: whoever closes the client waits for nothing.
    await Promise.allSettled(Array.from(this.#cluster.openParts, (one) => one.close(true)));
    await this.#cluster.close();
  }
}
