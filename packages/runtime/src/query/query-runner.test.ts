import { describe, expect, it } from 'vitest';
import { QueryRunner } from './query-runner.ts';
import type { StatePhase, StorePlace, StoreRead, StoreSource } from './store-source.ts';

/** One of the loops of a process. */
class Loop implements StoreSource {
  readonly asked: StoreRead[] = [];
  readonly #name: string;
  readonly #place: StorePlace;

  constructor(name: string, here: Readonly<{ [partition: number]: StatePhase }>, more: Partial<StorePlace> = {}) {
    this.#name = name;
    const found = Object.entries(here).map(([partition, phase]) => ({ partition: Number(partition), phase }));
    this.#place = { kind: 'keyValue', isGlobal: false, partitions: 3, keyPartition: 1, here: found, hosts: [], ...more };
  }

  async locate(): Promise<StorePlace> {
    return this.#place;
  }

  async *read(request: StoreRead): AsyncGenerator<readonly unknown[], void> {
    this.asked.push(request);
    yield [`${this.#name}:${request.partition}`];
  }
}

async function rows(loops: readonly Loop[], kind: 'range' | 'get', allowStale = false): Promise<unknown[]> {
  const runner = new QueryRunner({ sources: () => loops, state: () => 'running' });
  const query =
    kind === 'get' ? ({ kind, key: 'k' } as const) : ({ kind, from: undefined, to: undefined, reverse: false } as const);
  const found: unknown[] = [];
  for await (const page of runner.ask({ store: 's', family: 'keyValue', query, options: { allowStale } }))
    found.push(...page.rows);
  return found;
}

describe('a question to a process with several loops', () => {
  it('goes to the loop that has the partition', async () => {
    const loops = [new Loop('one', { 0: 'running', 2: 'running' }), new Loop('two', { 1: 'running' })];
    expect(await rows(loops, 'range')).toEqual(['one:0', 'two:1', 'one:2']);
    expect(await rows(loops, 'get')).toEqual(['two:1']);
  });

  it('asks a partition once, where it runs, while it moves from one loop to another', async () => {
    for (const old of ['standby', 'restoring'] as const) {
      const loops = [new Loop('one', { 1: 'running' }), new Loop('two', { 1: old }), new Loop('three', { 0: 'running' })];
      expect(await rows(loops, 'range')).toEqual(['three:0', 'one:1']);
      expect(await rows(loops.toReversed(), 'range', true)).toEqual(['three:0', 'one:1']);
    }
  });

  it('asks one of them for a global store, which all have', async () => {
    const everywhere = { isGlobal: true, keyPartition: undefined };
    const loops = [new Loop('one', { 0: 'running' }, everywhere), new Loop('two', { 0: 'running' }, everywhere)];
    expect(await rows(loops, 'range')).toEqual(['one:undefined']);
  });

  it('knows the owners of other partitions from whichever loop has heard of them', async () => {
    const hosts = [{ endpoint: 'other:1', activePartitions: [1], standbyPartitions: [] }];
    const loops = [new Loop('one', { 0: 'running' }), new Loop('two', { 2: 'running' }, { hosts })];
    const runner = new QueryRunner({ sources: () => loops, state: () => 'running' });
    expect((await runner.locate('s')).hosts).toEqual(hosts);
  });
});
