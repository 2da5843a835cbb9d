import { setMaxListeners } from 'node:events';
import { FatalStreamsError, type Clock, type Logger, type Metrics, type Random } from '@millrace/core';
import { metadata, type Api, type RequestInput, type ResponseOf } from '@millrace/wire';
import { brokerError } from '../errors/broker-error.ts';
import { consequenceOf, passesByItself } from '../errors/consequence.ts';
import { isConnectionError } from '../errors/transport-error.ts';
import type { BrokerTarget, Lane, Transport } from '../port/transport.ts';
import { cancellable } from '../retry/cancellable.ts';
import { retrying, type RetryOptions } from '../retry/retrying.ts';
import { BrokerRequests } from './broker-requests.ts';
import { CoordinatorDirectory, type CoordinatorKind } from './coordinator-directory.ts';
import { MetadataRefresher } from './metadata-refresher.ts';
import { topicMetadata, type TopicMetadata } from './topic-metadata.ts';

export interface ClusterOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
  readonly requestTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
}

/** A topic that was created a moment ago is not known to all brokers yet. */
export const UNKNOWN_TOPIC_GRACE_MS = 2_000;
/** How long an operation without a signal of its own goes on retrying. */
const RETRY_BOUND_MS = 60_000;

/** What to know of a request to a coordinator. */
export interface CoordinatorRequest {
  readonly kind: CoordinatorKind;
  /** Group id or transactional id. */
  readonly key: string;
  readonly lane: Lane;
  readonly timeoutMs?: number;
  readonly versionMax?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A fetcher, a producer, a group member. */
export interface ClientPart {
  close(abandon?: boolean): Promise<void>;
}

/** The cluster as one client sees it: its topics and leaders, its coordinators, and the way to send it requests. */
export class Cluster {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
  readonly requests: BrokerRequests;
  readonly coordinators: CoordinatorDirectory;
  /**
   * What was made for users of the client and is not closed yet: closing the client closes it. Each part takes itself out when it is
   * closed, else it would stay for as long as the client, with all that it holds.
   */
  readonly openParts = new Set<ClientPart>();
  readonly #transport: Transport;
  readonly #refresher: MetadataRefresher;
  readonly #closing = new AbortController();
  readonly #topics = new Map<string, TopicMetadata>();
  /** Topics that do not exist, with the monotonic time at which that was first heard. */
  readonly #missing = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #nodeIds: readonly number[] = [];

  constructor(options: ClusterOptions) {
    const { transport, clock, random, logger } = options;
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    this.metrics = options.metrics;
    this.#transport = transport;
    // Every wait of the client listens; however many there are, none of them leaks.
    setMaxListeners(0, this.#closing.signal);
    this.requests = new BrokerRequests(transport, options.requestTimeoutMs, options.metrics);
    this.coordinators = new CoordinatorDirectory(this.requests, transport, this.retryOptions());
    this.#refresher = new MetadataRefresher({
      clock,
      random,
      logger,
      signal: this.#closing.signal,
      fetch: (topics) => this.describe(topics),
      onRound: () => this.#notify(),
    });
    this.#refresher.refreshEvery(options.metadataMaxAgeMs, () => this.#topics.keys());
  }

  /** Aborts when the client closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * For {@link retrying}: with the signal of the caller, or until the client closes and for at most a minute.
   */
  retryOptions(signal?: AbortSignal): RetryOptions {
    const { clock, random, logger } = this;
    if (signal === undefined) return { clock, random, logger, signal: this.closing, forAtMostMs: RETRY_BOUND_MS };
    return { clock, random, logger, signal: AbortSignal.any([signal, this.closing]) };
  }

  // ---- topics ----------------------------------------------------------------------------------------------------------

  /** What was last heard of the topic; undefined when nothing was. */
  knownTopic(topic: string): TopicMetadata | undefined {
    return this.#topics.get(topic);
  }

  /** Node id of the partition's leader, as last heard. */
  leader(topic: string, partition: number): number | undefined {
    const leader = this.#topics.get(topic)?.leaders[partition];
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  /** Wants fresh metadata of the topic, in the background; {@link onMetadata} tells when to look again. */
  refreshSoon(topic: string): void {
    this.#refresher.request(topic);
  }

  /** Calls back after every refresh. Returns the way to stop that. */
  onMetadata(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /**
   * The topic, from memory or from the cluster.
   *
   * @throws FatalStreamsError `UNKNOWN_TOPIC` when it does not exist
   */
  async topic(topic: string, signal?: AbortSignal): Promise<TopicMetadata> {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    return retrying(this.retryOptions(signal), async () => {
      const found = (await this.describe([topic])).get(topic);
      if (found !== undefined) return found;
      if (this.missingForMs(topic) > UNKNOWN_TOPIC_GRACE_MS) {
        throw new FatalStreamsError('UNKNOWN_TOPIC', 'the topic does not exist; create it, or check its name', { topic });
      }
      throw brokerError(3, { api: 'Metadata', topic });
    });
  }

  /**
   * Asks the cluster about topics, once.
   *
   * @returns undefined for topics that do not exist
   */
  async describe(topics: readonly string[] | undefined): Promise<Map<string, TopicMetadata | undefined>> {
    const body = { topics: topics?.map((name) => ({ name })), allowAutoTopicCreation: false };
    const response = await this.#askAnyBroker((target) => this.requests.send(metadata, target, body, { lane: 'admin' }));
    this.#nodeIds = response.brokers.map(({ nodeId }) => nodeId);
    this.#transport.updateBrokers(response.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })));
    const described = new Map<string, TopicMetadata | undefined>(topics?.map((name) => [name, undefined]));
    for (const { name, topicId, errorCode, partitions } of response.topics) {
      if (name == null) continue;
      const found = partitions.length > 0 ? topicMetadata(name, topicId, partitions) : undefined;
      if (found === undefined && !passesByItself(errorCode)) throw brokerError(errorCode, { api: 'Metadata', topic: name });
      described.set(name, found);
    }
    for (const [name, found] of described) this.#remember(name, found);
    return described;
  }

  #remember(name: string, found: TopicMetadata | undefined): void {
    if (found !== undefined) {
      this.#topics.set(name, found);
      this.#missing.delete(name);
      return;
    }
    this.#topics.delete(name);
    if (!this.#missing.has(name)) this.#missing.set(name, this.clock.monotonicMs());
  }

  /** For how long the cluster has been saying that the topic does not exist; 0 when it does, or nobody asked. Unit ms. */
  missingForMs(topic: string): number {
    const since = this.#missing.get(topic);
    return since === undefined ? 0 : this.clock.monotonicMs() - since;
  }

  /** One of the bootstrap brokers, or, when these are all gone, any other of the cluster. */
  async #askAnyBroker<T>(ask: (target: BrokerTarget) => Promise<T>): Promise<T> {
    try {
      return await ask('any');
    } catch (error) {
      const nodeId = this.#nodeIds[Math.floor(this.random.next() * this.#nodeIds.length)];
      if (!isConnectionError(error) || nodeId === undefined) throw error;
      return ask(nodeId);
    }
  }

  /** Node ids of all brokers, as last heard. */
  get nodeIds(): readonly number[] {
    return this.#nodeIds;
  }

  // ---- coordinators ----------------------------------------------------------------------------------------------------

  /** Sends to a coordinator, once. When it cannot be reached, the next request looks it up again. */
  async sendToCoordinator<A extends Api>(api: A, to: CoordinatorRequest, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const nodeId = await this.coordinators.find(to.kind, to.key, to.signal);
    try {
      return await cancellable(this.requests.send(api, nodeId, body, to), to.signal);
    } catch (error) {
      if (isConnectionError(error)) this.coordinators.forget(to.kind, to.key);
      throw error;
    }
  }

  /** Takes note of an error code that a coordinator answered: it may have moved. */
  noteCoordinatorError(errorCode: number, kind: CoordinatorKind, key: string): void {
    if (consequenceOf(errorCode) === 'find-coordinator') this.coordinators.forget(kind, key);
  }

  /** Ends all waits and the transport. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#refresher.close();
    this.#listeners.clear();
    await this.#transport.close();
  }
}
