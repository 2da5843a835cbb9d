import { FatalStreamsError, type Metrics } from '@millrace/core';
import { decodeResponse, encodeRequest, isFlexible, type Api, type RequestInput, type ResponseOf } from '@millrace/wire';
import { isConnectionError } from '../errors/transport-error.ts';
import type { BrokerFeatures, BrokerTarget, Lane, Transport } from '../port/transport.ts';
import { chooseVersion } from './version-choice.ts';

export interface SendOptions {
  readonly lane: Lane;
  /** Default: the client's request timeout. */
  readonly timeoutMs?: number;
  /** Not above this version, where a version number switches the meaning. */
  readonly versionMax?: number;
}

/** A request whose body the caller has written. */
export interface EncodedRequest {
  readonly api: Api;
  readonly version: number;
  readonly body: Buffer;
  readonly expectResponse: boolean;
}

/** Sends typed requests to brokers: chooses the version, encodes, decodes. Does not retry and does not look into answers. */
export class BrokerRequests {
  readonly #transport: Transport;
  readonly #requestTimeoutMs: number;
  readonly #metrics: Metrics | undefined;
  /** What each broker offers, until its connection fails: it may come back upgraded. */
  readonly #features = new Map<BrokerTarget, BrokerFeatures>();

  constructor(transport: Transport, requestTimeoutMs: number, metrics: Metrics | undefined) {
    this.#transport = transport;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#metrics = metrics;
  }

  get requestTimeoutMs(): number {
    return this.#requestTimeoutMs;
  }

  /** What the broker said about itself. */
  async features(target: BrokerTarget): Promise<BrokerFeatures> {
    const known = this.#features.get(target);
    if (known !== undefined) return known;
    const features = await this.#transport.features(target);
    this.#features.set(target, features);
    return features;
  }

  /** The version in which to send an API to a broker. @throws FatalStreamsError `UNSUPPORTED_VERSION` */
  async version(api: Api, target: BrokerTarget, versionMax?: number): Promise<number> {
    return chooseVersion(api, await this.features(target), versionMax);
  }

  /**
   * @throws RetriableError when the broker cannot be reached or does not answer; FatalStreamsError `UNSUPPORTED_VERSION`,
   * `AUTHENTICATION_FAILED`; CorruptDataError when the answer is not what the protocol says
   */
  async send<A extends Api>(api: A, target: BrokerTarget, body: RequestInput<A>, options: SendOptions): Promise<ResponseOf<A>> {
    const version = await this.version(api, target, options.versionMax);
    const request = { api, version, body: encodeRequest(api, version, body), expectResponse: true };
    return decodeResponse(api, version, await this.sendEncoded(target, request, options));
  }

  /** The same for callers that write and read the bytes themselves. */
  async sendEncoded(target: BrokerTarget, request: EncodedRequest, options: SendOptions): Promise<Buffer> {
    const { api, version, body, expectResponse } = request;
    try {
      const flexible = isFlexible(api, version);
      const timeoutMs = options.timeoutMs ?? this.#requestTimeoutMs;
      return await this.#transport.send(target, {
        apiKey: api.key,
        apiVersion: version,
        body,
        flexible,
        lane: options.lane,
        timeoutMs,
        expectResponse,
      });
    } catch (error) {
      if (isConnectionError(error)) this.#features.delete(target);
      this.#countFailure(api, error);
      throw error;
    }
  }

  #countFailure(api: Api, error: unknown): void {
    const code = error instanceof FatalStreamsError ? error.code : ((error as { code?: string }).code ?? 'UNKNOWN');
    this.#metrics
      ?.counter('millrace_client_request_failures_total', 'Requests without an answer', { api: api.name, code })
      .add(1);
  }
}
