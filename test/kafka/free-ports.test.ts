import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { assertPortIsFree, freePorts } from './free-ports.ts';

describe('freePorts', () => {
  it('gives as many different ports as asked for', async () => {
    const ports = await freePorts(6);
    expect(new Set(ports).size).toBe(6);
    expect(ports.every((port) => port > 1023)).toBe(true);
  });
});

describe('assertPortIsFree', () => {
  it('throws when somebody listens there, and not afterwards', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(assertPortIsFree(port)).rejects.toThrow(`port ${port} on 127.0.0.1 cannot be used`);
    await once(server.close(), 'close');
    await expect(assertPortIsFree(port)).resolves.toBeUndefined();
  });
});
