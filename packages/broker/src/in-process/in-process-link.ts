import { InProcessSocket } from './in-process-socket.ts';
import type { Transfer, TransferSchedule } from './transfer.ts';
import { type LineName, TransferLine } from './transfer-line.ts';

/** A connection within the process, as its client holds it. */
export interface InProcessConnection {
  /** The client's side, open at once: for anything that works on a `net.Socket`. */
  readonly socket: InProcessSocket;
  /** Breaks the connection as a network does: what is on its way is lost, and the client hears ECONNRESET. */
  cut(): void;
}

export interface InProcessLink extends InProcessConnection {
  /** The broker's side. */
  readonly peer: InProcessSocket;
}

/** Makes a connection: two sockets and the line in each direction between them. */
export function createLink(name: Pick<Transfer, 'connection' | 'nodeId'>, schedule: TransferSchedule): InProcessLink {
  const lineTo = (direction: LineName['direction'], receiver: () => InProcessSocket): TransferLine =>
    new TransferLine({ ...name, direction }, schedule, (bytes, received) => receiver().receive(bytes, received));
  const toBroker = lineTo('to-broker', () => peer);
  const toClient = lineTo('to-client', () => socket);
  const socket: InProcessSocket = socketOn(toBroker);
  const peer: InProcessSocket = socketOn(toClient);
  const cut = (): void => {
    socket.destroy(connectionReset());
    peer.destroy();
    toBroker.cut();
    toClient.cut();
  };
  return { socket, peer, cut };
}

function socketOn(line: TransferLine): InProcessSocket {
  return new InProcessSocket({ send: (bytes, done) => line.send(bytes, done), closed: () => line.cut() });
}

function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}
