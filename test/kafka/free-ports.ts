import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';

/** Below it are ports for which other programs are known. */
const LOWEST = 10_240;
/** Where Linux begins to give out ports by itself unless told otherwise, and below where other systems do. */
const USUAL_EPHEMERAL = 32_768;

/**
 * Finds `count` different ports on 127.0.0.1 that nobody listens on now, below those that the system gives out by itself.
 *
 * Why: seconds pass until a broker listens on such a port, and again while it restarts. Every outgoing connection of any process
 * would get one of the others meanwhile, a client that tries to reach the broker even the very port that it tries.
 */
export async function freePorts(count: number): Promise<number[]> {
  const end = await firstEphemeralPort();
  const servers = new Map<number, Server>();
  try {
    // All are held open until the last is found, so that none is given out twice.
    while (servers.size < count) {
      const port = LOWEST + Math.floor(Math.random() * (end - LOWEST));
      const server = servers.has(port) ? undefined : await listen(port).catch(unlessInUse);
      if (server !== undefined) servers.set(port, server);
    }
  } finally {
    await Promise.all([...servers.values()].map((server) => once(server.close(), 'close')));
  }
  return [...servers.keys()];
}

/** @throws when somebody listens on `port` of 127.0.0.1 */
export async function assertPortIsFree(port: number): Promise<void> {
  let server: Server;
  try {
    server = await listen(port);
  } catch (error) {
    throw new Error(`port ${port} on 127.0.0.1 cannot be used; stop what listens there or choose another`, { cause: error });
  }
  await once(server.close(), 'close');
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function unlessInUse(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'EADDRINUSE') throw error;
}

/** Linux says it; elsewhere, and where its range leaves too little below, it is taken to be the usual one. */
async function firstEphemeralPort(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  const first = Number.parseInt(range, 10);
  return first > 2 * LOWEST ? Math.min(first, USUAL_EPHEMERAL) : USUAL_EPHEMERAL;
}
