import { CancelledError } from '@millrace/core';
import type { BrokerAddress, BrokerFeatures, BrokerTarget, Lane, Transport, TransportRequest } from '../port/transport.ts';
import type { OpenConnection } from './broker-connection.ts';
import { type BrokerEndpoint, formatEndpoint } from './broker-endpoint.ts';
import { connectionFailed, connectionLost } from './connection-errors.ts';
import { LaneConnection } from './lane-connection.ts';
import type { ResolvedTransportOptions } from './transport-options.ts';

/**
 * A transport made of lanes: a connection of its own for each pair of broker and lane, opened by the first request and opened
 * again when it was lost. Shared by all transports that bring their own kind of connection.
 */
export class LaneTransport implements Transport {
  readonly name: string;
  readonly #openConnection: OpenConnection;
  readonly #options: ResolvedTransportOptions;
  readonly #brokers = new Map<number, BrokerEndpoint>();
  readonly #lanes = new Map<BrokerTarget, Map<Lane, LaneConnection>>();
  #isClosed = false;

  constructor(name: string, openConnection: OpenConnection, options: ResolvedTransportOptions) {
    this.name = name;
    this.#openConnection = openConnection;
    this.#options = options;
  }

  send(broker: BrokerTarget, request: TransportRequest): Promise<Buffer> {
    try {
      return this.#lane(broker, request.lane).send(request);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async features(broker: BrokerTarget): Promise<BrokerFeatures> {
    for (const lane of this.#lanes.get(broker)?.values() ?? []) {
      if (lane.features !== undefined) return lane.features;
    }
    return this.#lane(broker, 'admin').open();
  }

  updateBrokers(brokers: readonly BrokerAddress[]): void {
    for (const { nodeId, host, port } of brokers) {
      const known = this.#brokers.get(nodeId);
      if (known !== undefined && known.host === host && known.port === port) continue;
      this.#brokers.set(nodeId, { host, port });
      if (known !== undefined) this.#leave(nodeId, known);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const lanes = [...this.#lanes.values()].flatMap((ofBroker) => [...ofBroker.values()]);
    this.#lanes.clear();
    await Promise.all(lanes.map((lane) => lane.close(new CancelledError('the transport is closed'))));
  }

  /** The broker has moved: what is still under way to its old address can not be waited for. */
  #leave(nodeId: number, oldEndpoint: BrokerEndpoint): void {
    const lanes = this.#lanes.get(nodeId);
    this.#lanes.delete(nodeId);
    const node = formatEndpoint(oldEndpoint);
    const why = `broker ${nodeId} has moved to another address`;
    for (const lane of lanes?.values() ?? []) void lane.close(connectionLost(node, why), connectionFailed(node, why));
  }

  #lane(broker: BrokerTarget, lane: Lane): LaneConnection {
    if (this.#isClosed) throw new CancelledError('the transport is closed');
    let ofBroker = this.#lanes.get(broker);
    if (ofBroker === undefined) {
      ofBroker = new Map();
      this.#lanes.set(broker, ofBroker);
    }
    let connection = ofBroker.get(lane);
    if (connection === undefined) {
      connection = this.#createLane(broker);
      ofBroker.set(lane, connection);
    }
    return connection;
  }

  #createLane(broker: BrokerTarget): LaneConnection {
    if (broker === 'any') {
      const name = this.#options.bootstrap.map(formatEndpoint).join(',');
      return new LaneConnection({ name, endpoints: () => this.#bootstrapEndpoints() }, this.#openConnection, this.#options);
    }
    const endpoint = this.#brokers.get(broker);
    if (endpoint === undefined) {
      throw connectionFailed(`broker ${broker}`, `no address is known for it; ask for the cluster's metadata first`);
    }
    const target = { name: formatEndpoint(endpoint), endpoints: () => [endpoint] };
    return new LaneConnection(target, this.#openConnection, this.#options);
  }

  /** The configured brokers first; when none of them answers, those that the cluster named. */
  #bootstrapEndpoints(): BrokerEndpoint[] {
    const configured = new Set(this.#options.bootstrap.map(formatEndpoint));
    return [...this.#options.bootstrap, ...[...this.#brokers.values()].filter((one) => !configured.has(formatEndpoint(one)))];
  }
}
