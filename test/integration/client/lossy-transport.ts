import type { BrokerAddress, BrokerFeatures, BrokerTarget, Transport, TransportRequest } from '@millrace/client';
import { RetriableError } from '@millrace/core';
import type { Api } from '@millrace/wire';

/**
 * - `answer`: the broker executes the request, but its answer is lost
 * - `request`: it never arrives, and the client cannot know that
 */
export type Loss = 'answer' | 'request';

/** A transport that loses what a test tells it to, and that can make a cluster look as if it had no transactions v2. */
export class LossyTransport implements Transport {
  readonly name = 'lossy';
  readonly #inner: Transport;
  readonly #losses = new Map<number, Loss[]>();
  readonly #transactionVersion: number | undefined;
  /** Names and versions of what was sent. */
  readonly sent: { readonly apiKey: number; readonly apiVersion: number }[] = [];
  /** What happens in the world before the client learns that something was lost. */
  beforeLossIsKnown: () => Promise<void> = () => Promise.resolve();

  constructor(inner: Transport, transactionVersion?: number) {
    this.#inner = inner;
    this.#transactionVersion = transactionVersion;
  }

  /** The next requests of the API get lost, one each. */
  lose(api: Api, ...losses: readonly Loss[]): void {
    this.#losses.set(api.key, [...(this.#losses.get(api.key) ?? []), ...losses]);
  }

  /** How many requests of the API the client has made. */
  count(api: Api): number {
    return this.sent.filter(({ apiKey }) => apiKey === api.key).length;
  }

  async send(broker: BrokerTarget, request: TransportRequest): Promise<Buffer> {
    const { apiKey, apiVersion } = request;
    this.sent.push({ apiKey, apiVersion });
    const loss = this.#losses.get(apiKey)?.shift();
    const answer = loss === 'request' ? undefined : await this.#inner.send(broker, request);
    if (loss === undefined && answer !== undefined) return answer;
    await this.beforeLossIsKnown();
    throw new RetriableError('CONNECTION_LOST', 'the test lost this answer');
  }

  async features(broker: BrokerTarget): Promise<BrokerFeatures> {
    const features = await this.#inner.features(broker);
    if (this.#transactionVersion === undefined) return features;
    const finalizedFeatures = new Map([
      ...features.finalizedFeatures,
      ['transaction.version', this.#transactionVersion] as const,
    ]);
    return { ...features, finalizedFeatures };
  }

  updateBrokers(brokers: readonly BrokerAddress[]): void {
    this.#inner.updateBrokers(brokers);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
