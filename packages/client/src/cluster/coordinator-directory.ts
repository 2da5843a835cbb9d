import { assert } from '@millrace/core';
import { findCoordinator } from '@millrace/wire';
import { brokerError } from '../errors/broker-error.ts';
import type { Transport } from '../port/transport.ts';
import { retrying, type RetryOptions } from '../retry/retrying.ts';
import type { BrokerRequests } from './broker-requests.ts';

/** Two kinds of coordinators, by the `key_type` of FindCoordinator. */
export type CoordinatorKind = 'group' | 'transaction';

const KEY_TYPES: Readonly<Record<CoordinatorKind, number>> = { group: 0, transaction: 1 };

/**
 * Knows which broker coordinates a group or a transactional id. Asking for it first is a must: it is FindCoordinator that
 * creates the coordinators' own topics (wire-facts, rule 9).
 */
export class CoordinatorDirectory {
  readonly #requests: BrokerRequests;
  readonly #transport: Transport;
  readonly #retry: RetryOptions;
  readonly #nodes = new Map<string, number>();

  constructor(requests: BrokerRequests, transport: Transport, retry: RetryOptions) {
    this.#requests = requests;
    this.#transport = transport;
    this.#retry = retry;
  }

  /**
   * Node id of the coordinator.
   *
   * @param forAtMostMs gives up after this time; default: when the signal aborts
   */
  async find(kind: CoordinatorKind, key: string, signal?: AbortSignal, forAtMostMs?: number): Promise<number> {
    const name = nameOf(kind, key);
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const nodeId = await retrying({ ...this.#retry, signal: signal ?? this.#retry.signal, forAtMostMs }, () =>
      this.#ask(kind, key),
    );
    this.#nodes.set(name, nodeId);
    return nodeId;
  }

  /** The next one who needs it looks it up again. */
  forget(kind: CoordinatorKind, key: string): void {
    this.#nodes.delete(nameOf(kind, key));
  }

  async #ask(kind: CoordinatorKind, key: string): Promise<number> {
    const body = { keyType: KEY_TYPES[kind], coordinatorKeys: [key] };
    const { coordinators } = await this.#requests.send(findCoordinator, 'any', body, { lane: 'admin' });
    const found = coordinators[0];
    assert(found !== undefined, 'FindCoordinator was answered without a coordinator');
    if (found.errorCode !== 0) {
      throw brokerError(found.errorCode, {
        api: 'FindCoordinator',
        subject: kind === 'group' ? `group ${key}` : `transactional id ${key}`,
        brokerMessage: found.errorMessage,
      });
    }
    this.#transport.updateBrokers([{ nodeId: found.nodeId, host: found.host, port: found.port }]);
    return found.nodeId;
  }
}

function nameOf(kind: CoordinatorKind, key: string): string {
  return `${kind} ${key}`;
}
