import type { Api, RequestOf, ResponseInput } from '@millrace/wire';

/** What is known about a request besides its body. */
export interface Call {
  /** The node that was asked. */
  readonly nodeId: number;
  readonly apiVersion: number;
  readonly clientId: string;
  /** Address of the client, in the form that Kafka shows: `/127.0.0.1`. */
  readonly clientHost: string;
  /** Closes the connection: how a request without response (`acks=0`) tells that it failed. */
  disconnect(): void;
  /** Calls back when the connection is gone, so that nobody waits for it. */
  onDisconnect(listener: () => void): void;
}

/** Sends the response, once. `undefined`: the request has none. */
export type Reply<A extends Api = Api> = (response: ResponseInput<A> | undefined) => void;

/**
 * What the broker does for one API.
 *
 * A handler never awaits between reading and changing state: it runs to its end, and what has to wait is put into a wait list
 * with its `reply`.
 */
export interface Handler {
  readonly api: Api;
  /** The versions that are advertised. */
  readonly versions: { readonly min: number; readonly max: number };
  handle(request: unknown, call: Call, reply: Reply): void;
}

/** Which versions to advertise, where that is not all that the schema has. */
export interface VersionLimits {
  readonly min?: number;
  readonly max?: number;
}

/** A handler that answers at once. */
export function answering<A extends Api>(
  api: A,
  answer: (request: RequestOf<A>, call: Call) => ResponseInput<A>,
  limits: VersionLimits = {},
): Handler {
  return deferring(api, (request, call, reply) => reply(answer(request, call)), limits);
}

/** A handler that may answer later. */
export function deferring<A extends Api>(
  api: A,
  handle: (request: RequestOf<A>, call: Call, reply: Reply<A>) => void,
  limits: VersionLimits = {},
): Handler {
  return {
    api,
    versions: { min: limits.min ?? api.versionMin, max: limits.max ?? api.versionMax },
    handle: handle as Handler['handle'],
  };
}
