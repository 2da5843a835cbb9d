/**
 * Bytes on their way from one side of a connection within the process to the other, or the end of the connection.
 *
 * Whoever schedules transfers plays the network: it decides when each arrives. As in TCP none is lost and none overtakes another
 * of its direction; a network that loses something is one that cuts the connection.
 */
export interface Transfer {
  /** Counts the connections of the broker, from 1. */
  readonly connection: number;
  readonly nodeId: number;
  readonly direction: 'to-broker' | 'to-client';
  /** `undefined`: the sender has closed the connection. */
  readonly bytes: Buffer | undefined;
  /**
   * Lets it arrive. If something that was sent earlier has not arrived yet, it waits for that. Does nothing the second time,
   * nor when the connection was cut meanwhile.
   */
  deliver(): void;
}

/** Arranges for the delivery of each transfer, now or later. */
export type TransferSchedule = (transfer: Transfer) => void;

/** How to connect to a broker within the process. */
export interface InProcessOptions {
  /** Default: the first node. */
  readonly nodeId?: number | undefined;
  /** The node by its port, as clients know it; the rest of an address that comes along is of no interest. */
  readonly port?: number | undefined;
  /** Default: each transfer arrives in the next turn of the event loop (`clock.sleep(0)`). */
  readonly schedule?: TransferSchedule;
}
