import { describe, expect, it } from 'vitest';
import { lastOwners, type Tenancy } from './last-owner.ts';

const STOPPED_AT_MS = 1000;

const worker = (openedAtMs: number | undefined, hasAtStop: boolean): Tenancy => ({
  ownedAtStop: new Set(hasAtStop ? ['1_0'] : []),
  openings: new Map(openedAtMs === undefined ? [] : [['1_0', openedAtMs]]),
});

describe('the last owner of a task', () => {
  it('is who had it when the workers were told to stop, though another one opened it later and had to give it up', () => {
    const owner = worker(988, true);
    expect(lastOwners('1_0', [worker(990, false), owner], STOPPED_AT_MS)).toEqual([owner]);
  });

  it('may be who opened it while they stopped one after the other', () => {
    const [owner, heir] = [worker(988, true), worker(1003, false)];
    expect(lastOwners('1_0', [owner, heir, worker(undefined, false)], STOPPED_AT_MS)).toEqual([owner, heir]);
  });

  it('is nobody when nobody had it', () => {
    expect(lastOwners('1_0', [worker(990, false), worker(undefined, false)], STOPPED_AT_MS)).toEqual([]);
  });
});
