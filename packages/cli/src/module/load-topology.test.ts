import { describe, expect, it } from 'vitest';
import { FakeHost } from '../host/fake-host.ts';
import { loadTopology } from './load-topology.ts';

const topology = { plan: () => ({}), describe: () => 'Topologies:\n' };

function load(exports: object, path = '/app/t.js'): Promise<unknown> {
  return loadTopology(path, new FakeHost({ modules: { [path]: exports } }));
}

describe('loadTopology', () => {
  it('takes a path from the working directory', async () => {
    const host = new FakeHost({ modules: { '/app/src/t.js': { buildTopology: () => topology } } });
    expect(await loadTopology('src/t.js', host)).toBe(topology);
  });

  it('takes a builder, a topology or a promise of one', async () => {
    expect(await load({ buildTopology: async () => topology, default: () => 'not this' })).toBe(topology);
    expect(await load({ default: () => topology })).toBe(topology);
    expect(await load({ default: topology })).toBe(topology);
  });

  it('says what a module without a topology exports', async () => {
    await expect(load({ build: 1, other: 2 })).rejects.toThrow('found the exports build, other');
    await expect(load({})).rejects.toThrow('has no topology: export a function buildTopology()');
    await expect(load({ buildTopology: () => 'text' })).rejects.toThrow('/app/t.js has no topology');
  });

  it('names the file that is not there', async () => {
    await expect(loadTopology('no.js', new FakeHost())).rejects.toThrow('there is no file /app/no.js');
  });

  it('says how to run TypeScript when Node cannot', async () => {
    const unknown = Object.assign(new TypeError('Unknown file extension'), { code: 'ERR_UNKNOWN_FILE_EXTENSION' });
    await expect(load(unknown, '/app/t.ts')).rejects.toThrow('Node 20.19.0 cannot load TypeScript (/app/t.ts): use Node 22.18');
    await expect(load(unknown, '/app/t.txt')).rejects.toThrow('give a .js, .mjs or .ts file');
  });

  it("passes the module's own failure on", async () => {
    await expect(load(new Error('boom'))).rejects.toThrow('boom');
    const failing = () => {
      throw new Error('no such store');
    };
    await expect(load({ buildTopology: failing })).rejects.toThrow('no such store');
  });
});
