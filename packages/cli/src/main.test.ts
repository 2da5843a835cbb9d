import { keyValueStore, string, Topology, topic } from 'millrace';
import { describe, expect, it } from 'vitest';
import { FakeHost } from './host/fake-host.ts';
import { main } from './main.ts';

const topology = { plan: () => ({}), describe: () => 'Topologies:\n   Sub-topology: 0' };
const counting = new Topology()
  .addSource('in', topic('words', { key: string(), value: string() }))
  .addProcessor('count', () => ({ process: () => undefined }), ['in'])
  .addStateStore(keyValueStore('counts', string(), string()), ['count']);
const modules = {
  '/app/good.js': { buildTopology: () => topology },
  '/app/counting.js': { default: counting },
  '/app/bad.js': new Error('boom'),
};
const files = {
  '/app/before.txt': counting.describe().replaceAll('counts', 'totals'),
  '/app/notes.txt': 'nothing of the kind',
};

async function millrace(...args: string[]): Promise<{ code: number; host: FakeHost }> {
  const host = new FakeHost({ modules, files });
  return { code: await main(args, host), host };
}

describe('main', () => {
  it('describes a topology', async () => {
    const { code, host } = await millrace('describe', 'good.js');
    expect([code, host.out]).toEqual([0, 'Topologies:\n   Sub-topology: 0\n']);
  });

  it('says what a changed topology does to what the one before has left', async () => {
    const { code, host } = await millrace('describe', 'counting.js', '--diff', 'before.txt');
    expect(code).toBe(0);
    expect(host.out).toContain('(their state is lost to the program):\n  totals-changelog\n');
    expect(host.out).toContain('(their stores begin empty):\n  counts-changelog\n');
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
    [['describe', 'counting.js', '--diff', 'none.txt'], '--diff: there is no file /app/none.txt'],
    [['describe', 'counting.js', '--diff', 'notes.txt'], '/app/notes.txt is no description of a topology'],
  ])('says what is wrong with %j and ends with 2', async (args, message) => {
    const { code, host } = await millrace(...args);
    expect([code, host.err]).toEqual([2, expect.stringContaining(message)]);
  });

  it('shows the failure of a module with its stack and ends with 1', async () => {
    const { code, host } = await millrace('describe', 'bad.js');
    expect([code, host.err]).toEqual([1, expect.stringMatching(/^error: Error: boom\n +at /)]);
  });
});
