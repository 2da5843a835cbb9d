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

  constructor(inner: Transport, transactionVersion?: number) {
    this.#inner = inner;
    this.#transactionVersion = transactionVersion;
  }

  /** The next requests of the API get lost, one each. */
  lose(api: Api, ...losses: readonly Loss[]): void {
    this.#losses.set(api.key, [...(this.#losses.get(api.key) ?? []), ...losses]);
  }

  async send(broker: BrokerTarget, request: TransportRequest): Promise<Buffer> {
    const { apiKey, apiVersion } = request;
    this.sent.push({ apiKey, apiVersion });
    const loss = this.#losses.get(apiKey)?.shift();
    if (loss === 'request') throw lost();
    const answer = await this.#inner.send(broker, request);
    if (loss === 'answer') throw lost();
    return answer;
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

function lost(): RetriableError {
  return new RetriableError('CONNECTION_LOST', 'the test lost this answer');
}
