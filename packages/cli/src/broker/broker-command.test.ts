import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { FakeHost } from '../host/fake-host.ts';
import { main } from '../main.ts';

describe('millrace broker', () => {
  it('listens until a signal comes', async () => {
    const host = new FakeHost();
    const ended = main(['broker', '--port', '0', '--memory'], host);
    await expect.poll(() => host.out).toMatch(/for development only on 127\.0\.0\.1:\d+; keeps nothing/);
    const socket = connect(Number(/:(\d+);/.exec(host.out)?.[1]), '127.0.0.1');
    await once(socket, 'connect');
    // A reset is as good an end: the broker may not have seen the connection yet.
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    host.raise('SIGINT');
    await closed;
    expect(await ended).toBe(0);
  });

  it.each([
    [['--memory', '--data-dir', 'data'], 'contradict each other'],
    [['--port', 'abc'], '"port" is NaN'],
    [['--transaction-version', '3'], 'Allowed choices are 1, 2'],
  ])('refuses %j', async (args, message) => {
    const host = new FakeHost();
    expect(await main(['broker', ...args], host)).toBe(2);
    expect(host.err).toContain(message);
  });
});
