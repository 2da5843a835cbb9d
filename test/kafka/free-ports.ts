import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Finds `count` different ports on 127.0.0.1 that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  // All are held open until the last is found, so that none is given out twice.
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** @throws when somebody listens on `port` of 127.0.0.1 */
export async function assertPortIsFree(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`port ${port} on 127.0.0.1 cannot be used; stop what listens there or choose another`, { cause: error });
  }
  await once(server.close(), 'close');
}
