import { CancelledError, RetriableError } from '@millrace/core';
import { apis, decodeRequest, encodeResponse, type Api, type RequestOf, type ResponseInput } from '@millrace/wire';
import type { BrokerAddress, BrokerFeatures, BrokerTarget, Lane, Transport, TransportRequest } from '../port/transport.ts';

/** One request as it went out. */
export interface SentRequest {
  readonly name: string;
  readonly version: number;
  readonly target: BrokerTarget;
  readonly lane: Lane;
  readonly body: unknown;
  readonly bytes: Buffer;
}

/** What a handler gets to know besides the request. */
export interface RequestFacts {
  readonly target: BrokerTarget;
  readonly version: number;
  readonly lane: Lane;
}

type Handler = (body: never, facts: RequestFacts) => unknown;

/** The connection could not be made: the request was not sent. */
export function notSent(): RetriableError {
  return new RetriableError('CONNECTION_FAILED', 'the scripted broker is not there');
}

/** The answer is missing: nobody knows whether the request was executed. */
export function answerLost(): RetriableError {
  return new RetriableError('CONNECTION_LOST', 'the scripted connection broke');
}

/**
 * A transport without a network: requests are decoded and answered by functions, in the real bytes of the protocol. Scripts
 * (`once`) are used up in order, before the standing answer (`on`).
 */
export class ScriptedTransport implements Transport {
  readonly name = 'scripted';
  readonly sent: SentRequest[] = [];
  readonly finalizedFeatures = new Map<string, number>([['transaction.version', 2]]);
  readonly #standing = new Map<number, Handler>();
  readonly #scripts = new Map<number, Handler[]>();
  #closed = false;

  /** Answers every request of the API. A handler may return an error to reject with, or a promise. */
  on<A extends Api>(
    api: A,
    handler: (body: RequestOf<A>, facts: RequestFacts) => ResponseInput<A> | Error | Promise<ResponseInput<A> | Error>,
  ): this {
    this.#standing.set(api.key, handler as Handler);
    return this;
  }

  /** Answers the next request of the API that is not scripted yet. */
  once<A extends Api>(
    api: A,
    handler: (body: RequestOf<A>, facts: RequestFacts) => ResponseInput<A> | Error | Promise<ResponseInput<A> | Error>,
  ): this {
    const scripts = this.#scripts.get(api.key) ?? [];
    this.#scripts.set(api.key, [...scripts, handler as Handler]);
    return this;
  }

  /** Bodies of the requests of an API, in the order in which they were sent. */
  bodies<A extends Api>(api: A): RequestOf<A>[] {
    return this.sent.filter(({ name }) => name === api.name).map(({ body }) => body as RequestOf<A>);
  }

  /** Names of the APIs in the order of the requests, without those that only look around. */
  get conversation(): string[] {
    return this.sent.map(({ name }) => name).filter((name) => name !== 'Metadata' && name !== 'FindCoordinator');
  }

  async send(target: BrokerTarget, request: TransportRequest): Promise<Buffer> {
    if (this.#closed) throw new CancelledError();
    const api = apis.find(({ key }) => key === request.apiKey);
    if (api === undefined) throw new Error(`API ${request.apiKey} is not described`);
    const { apiVersion: version, lane } = request;
    // A copy, because the sender may use its buffer again.
    const bytes = Buffer.from(request.body);
    const body = decodeRequest(api, version, bytes);
    this.sent.push({ name: api.name, version, target, lane, body, bytes });
    const handler = this.#scripts.get(api.key)?.shift() ?? this.#standing.get(api.key);
    if (handler === undefined) throw new Error(`nothing answers ${api.name}`);
    const answer = await handler(body as never, { target, version, lane });
    if (this.#closed) throw new CancelledError();
    if (answer instanceof Error) throw answer;
    return request.expectResponse === false ? Buffer.alloc(0) : encodeResponse(api, version, answer as ResponseInput<Api>);
  }

  features(): Promise<BrokerFeatures> {
    const ranges = new Map(apis.map(({ key, versionMin, versionMax }) => [key, { min: versionMin, max: versionMax }]));
    return Promise.resolve({ apis: ranges, finalizedFeatures: this.finalizedFeatures });
  }

  updateBrokers(_brokers: readonly BrokerAddress[]): void {
    // There is nowhere to connect to.
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
