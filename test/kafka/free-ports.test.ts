import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { assertPortIsFree, freePorts } from './free-ports.ts';

describe('freePorts', () => {
  it('gives as many different ports as asked for', async () => {
    const ports = await freePorts(6);
    expect(new Set(ports).size).toBe(6);
    expect(ports.every((port) => port > 1023)).toBe(true);
  });

  it('gives none of those that Linux gives to outgoing connections', async () => {
    expect(Math.max(...(await freePorts(20)))).toBeLessThan(32_768);
  });
});

describe('assertPortIsFree', () => {
  it('throws when somebody listens there, and not afterwards', async () => {
    const [port = 0] = await freePorts(1);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    await expect(assertPortIsFree(port)).rejects.toThrow(`port ${port} on 127.0.0.1 cannot be used`);
    await once(server.close(), 'close');
    await expect(assertPortIsFree(port)).resolves.toBeUndefined();
  });
});
