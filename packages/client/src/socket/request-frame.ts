import type { Duplex } from 'node:stream';
import type { TransportRequest } from '../port/transport.ts';

/** Bodies up to here are copied behind their header: one small write costs less than two buffers in one gathered write. */
const copiedBytes = 2048;
/** Length, api key, api version, correlation id, length of the client id. */
const fixedBytes = 4 + 2 + 2 + 4 + 2;

/**
 * Writes a request with its length and header (v1, or v2 with an empty tag section for flexible versions; the client id is an
 * old-style string in both). A large body goes to the socket as it is, without a copy.
 */
export function writeRequestFrame(
  socket: Duplex,
  request: TransportRequest,
  correlationId: number,
  clientId: Buffer,
  written?: (error?: Error | null) => void,
): void {
  const { body } = request;
  const headBytes = fixedBytes + clientId.length + (request.flexible ? 1 : 0);
  const isCopied = body.length <= copiedBytes;
  const head = Buffer.allocUnsafe(isCopied ? headBytes + body.length : headBytes);
  head.writeInt32BE(headBytes - 4 + body.length, 0);
  head.writeInt16BE(request.apiKey, 4);
  head.writeInt16BE(request.apiVersion, 6);
  head.writeInt32BE(correlationId, 8);
  head.writeInt16BE(clientId.length, 12);
  clientId.copy(head, fixedBytes);
  if (request.flexible) head[headBytes - 1] = 0;
  if (isCopied) {
    body.copy(head, headBytes);
    socket.write(head, written);
    return;
  }
  socket.cork();
  socket.write(head);
  socket.write(body, written);
  socket.uncork();
}
