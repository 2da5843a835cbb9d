import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { FatalStreamsError } from '@millrace/core';

/**
 * The parts inside of kafkajs 2.2.4 that this package uses, and nothing else of it: the one file that reaches into it.
 *
 * They are no public API of kafkajs. The package is therefore pinned to this very version, and {@link loadKafkajs} looks at
 * their shape before the first connection instead of failing in the middle of a transaction.
 */

/** One connection: socket, TLS, SASL, framing, correlation of answers. */
export interface KafkajsConnection {
  readonly requestQueue: KafkajsRequestQueue;
  /** A `Long`; milliseconds the broker grants after an authentication, 0 for no limit. */
  readonly sessionLifetime: { toNumber(): number };
  /** `null` makes the next {@link authenticate} talk to the broker. */
  authenticatedAt: unknown;
  connect(): Promise<unknown>;
  authenticate(): Promise<void>;
  setVersions(versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
  send(exchange: KafkajsExchange): Promise<Buffer>;
}

export interface KafkajsRequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
  destroy(): void;
}

export interface KafkajsExchange {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    /** Called once, when all that stands between the request and the socket is a handful of microtasks. */
    encode(): KafkajsPayload;
    expectResponse(): boolean;
  };
  readonly response: { decode(bytes: Buffer): Promise<Buffer>; parse(body: Buffer): Buffer };
  readonly logResponseError: boolean;
}

/** What kafkajs takes for one of its encoders: `buf` is looked at, `buffer` is copied. */
export interface KafkajsPayload {
  readonly buf: Buffer;
  readonly buffer: KafkajsBytes;
}

/** As much of a Buffer as kafkajs uses to copy it. */
export interface KafkajsBytes {
  readonly length: number;
  copy(target: Buffer, targetStart: number): void;
}

export interface KafkajsSocketRequest {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

export interface KafkajsConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly logger: KafkajsLogger;
  readonly socketFactory: (request: KafkajsSocketRequest) => Socket;
  readonly ssl: object | null;
  readonly sasl: { readonly mechanism: string; readonly username: string; readonly password: string } | null;
  readonly clientId: string;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly reauthenticationThreshold: number;
}

export interface KafkajsLogger {
  namespace(name: string): unknown;
}

export interface KafkajsLogEntry {
  readonly namespace: string;
  /** 1 error, 2 warning, 4 info, 5 debug. */
  readonly level: number;
  readonly log: Readonly<Record<string, unknown>> & { readonly message: string };
}

export interface KafkajsInternals {
  readonly Connection: new (options: KafkajsConnectionOptions) => KafkajsConnection;
  createLogger(options: { readonly level: number; readonly logCreator: () => (entry: KafkajsLogEntry) => void }): KafkajsLogger;
}

const pinnedVersion = '2.2.4';
const require = createRequire(import.meta.url);

/**
 * Loads kafkajs and checks what we use of it.
 *
 * @throws FatalStreamsError KAFKAJS_MISMATCH naming everything that is missing
 */
export function loadKafkajs(load: (id: string) => unknown = require): KafkajsInternals {
  const missing: string[] = [];
  const loaded = (id: string): unknown => {
    try {
      return load(id);
    } catch (error) {
      missing.push(`${id} (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`);
      return undefined;
    }
  };
  const version = member(loaded('kafkajs/package.json'), 'version');
  if (version !== pinnedVersion) missing.push(`version ${pinnedVersion} (found ${String(version)})`);
  const Connection = loaded('kafkajs/src/network/connection');
  const RequestQueue = loaded('kafkajs/src/network/requestQueue');
  const createLogger = member(loaded('kafkajs/src/loggers'), 'createLogger');
  if (typeof createLogger !== 'function') missing.push('loggers.createLogger');
  const methods = ['connect', 'authenticate', 'setVersions', 'setSupportAuthenticationProtocol', 'send'];
  missing.push(...missingMethods('Connection', Connection, methods));
  missing.push(...missingMethods('RequestQueue', RequestQueue, ['scheduleCheckPendingRequests', 'destroy']));
  if (missing.length === 0) return { Connection, createLogger } as KafkajsInternals;
  throw new FatalStreamsError(
    'KAFKAJS_MISMATCH',
    `kafkajs is not the one that @millrace/transport-kafkajs was written for; missing: ${missing.join(', ')}. ` +
      `Install exactly kafkajs ${pinnedVersion}, or use the transport of @millrace/client/socket`,
  );
}

function missingMethods(name: string, type: unknown, methods: readonly string[]): string[] {
  const prototype = member(type, 'prototype');
  return methods.filter((method) => typeof member(prototype, method) !== 'function').map((method) => `${name}.${method}`);
}

function member(owner: unknown, name: string): unknown {
  const isObject = (typeof owner === 'object' && owner !== null) || typeof owner === 'function';
  return isObject ? (owner as Record<string, unknown>)[name] : undefined;
}
