import { describe, expect, it } from 'vitest';
import { FakeHost } from './host/fake-host.ts';
import { main } from './main.ts';

const topology = { plan: () => ({}), describe: () => 'Topologies:\n   Sub-topology: 0' };
const modules = { '/app/good.js': { buildTopology: () => topology }, '/app/bad.js': new Error('boom') };

async function millrace(...args: string[]): Promise<{ code: number; host: FakeHost }> {
  const host = new FakeHost({ modules });
  return { code: await main(args, host), host };
}

describe('main', () => {
  it('describes a topology', async () => {
    const { code, host } = await millrace('describe', 'good.js');
    expect([code, host.out]).toEqual([0, 'Topologies:\n   Sub-topology: 0\n']);
  });

  it('prints help with every variable of the environment', async () => {
    const { code, host } = await millrace('run', '--help');
    expect(code).toBe(0);
    expect(host.out).toContain('KAFKA_BROKERS');
    expect(host.out).toContain('Exit codes: 0 stopped cleanly');
    expect((await millrace('--version')).host.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['run', 'good.js'], '--application-id is missing'],
    [['run'], "missing required argument 'module'"],
    [['run', 'good.js', '--nonsense'], "unknown option '--nonsense'"],
    [['fly'], "unknown command 'fly'"],
    [['describe', 'none.js'], 'there is no file /app/none.js'],
  ])('says what is wrong with %j and ends with 2', async (args, message) => {
    const { code, host } = await millrace(...args);
    expect([code, host.err]).toEqual([2, expect.stringContaining(message)]);
  });

  it('shows the failure of a module with its stack and ends with 1', async () => {
    const { code, host } = await millrace('describe', 'bad.js');
    expect([code, host.err]).toEqual([1, expect.stringMatching(/^error: Error: boom\n +at /)]);
  });
});
