import { type Clock, FatalStreamsError, SettingsError } from '@millrace/core';
import type { InProcessConnection } from './in-process/in-process-link.ts';
import { InProcessServer } from './in-process/in-process-server.ts';
import type { InProcessOptions, TransferSchedule } from './in-process/transfer.ts';
import type { NodeAddress } from './placement/cluster-view.ts';
import type { Exchange } from './server/connection.ts';
import { TcpServer } from './server/tcp-server.ts';
import type { ResolvedBrokerSettings } from './settings/broker-settings.ts';

/** What nodes are said to listen on when none does. */
const NOMINAL_PORT = 9092;

interface Node {
  readonly nodeId: number;
  readonly tcp: TcpServer;
  readonly inProcess: InProcessServer;
}

export interface BrokerNodesOptions {
  readonly settings: ResolvedBrokerSettings;
  readonly nodeIds: readonly number[];
  readonly clock: Clock;
  readonly handle: (exchange: Exchange, nodeId: number) => void;
}

/** The nodes of a broker as clients reach them: by a port, or within the process. */
export class BrokerNodes {
  readonly #settings: ResolvedBrokerSettings;
  readonly #nodes: readonly Node[];
  readonly #atOnce: TransferSchedule;
  #connections = 0;
  #isClosed = false;
  addresses: readonly NodeAddress[] = [];

  constructor({ settings, nodeIds, clock, handle: handleFor }: BrokerNodesOptions) {
    this.#settings = settings;
    this.#atOnce = ({ deliver }) => void clock.sleep(0).then(deliver);
    this.#nodes = nodeIds.map((nodeId, index) => {
      const { requestBytesMax } = settings;
      const handle = (exchange: Exchange): void => handleFor(exchange, nodeId);
      const port = settings.port === 0 ? 0 : settings.port + index;
      return {
        nodeId,
        tcp: new TcpServer({ ...settings, port, handle }),
        inProcess: new InProcessServer({ requestBytesMax, handle }),
      };
    });
  }

  /** @throws FatalStreamsError ADDRESS_UNAVAILABLE */
  async open(): Promise<void> {
    const { host, port, listen } = this.#settings;
    const ports = listen
      ? await Promise.all(this.#nodes.map(({ tcp }) => tcp.listen()))
      : this.#nodes.map((_, index) => (port === 0 ? NOMINAL_PORT : port) + index);
    this.addresses = this.#nodes.map(({ nodeId }, index) => ({ nodeId, host, port: ports[index] as number }));
  }

  connect({ nodeId, port, schedule = this.#atOnce }: InProcessOptions): InProcessConnection {
    if (this.#isClosed) throw new FatalStreamsError('BROKER_STOPPED', 'the broker was stopped: start another one');
    const node = this.#nodes.find((_, index) => {
      const address = this.addresses[index];
      return address?.nodeId === (nodeId ?? address?.nodeId) && address?.port === (port ?? address?.port);
    });
    if (node === undefined) {
      const known = this.addresses.map((one) => `${one.nodeId} at port ${one.port}`).join(', ');
      throw new SettingsError('UNKNOWN_NODE', `the broker has no node ${nodeId ?? `at port ${port}`}; its nodes are ${known}`);
    }
    this.#connections++;
    return node.inProcess.connect({ connection: this.#connections, nodeId: node.nodeId }, schedule);
  }

  /** Drops every connection and lets go of the ports. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { inProcess } of this.#nodes) inProcess.close();
    await Promise.all(this.#nodes.map(({ tcp }) => tcp.close()));
  }
}
