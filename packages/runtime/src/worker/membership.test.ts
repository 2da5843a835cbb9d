import { describe, expect, it } from 'vitest';
import { FatalStreamsError } from '@millrace/core';
import type { GroupMember, JoinedGroup } from '@millrace/client';
import type { LeadersWord } from '../assignment/read-assignment.ts';
import { ManualClock } from '../task-harness/manual-clock.ts';
import { Membership } from './membership.ts';

/** A membership whose joins end when the test says so. */
class Stage {
  state: GroupMember['state'] = 'unjoined';
  readonly rejoins: string[] = [];
  word: LeadersWord = {
    tasks: { active: [], standby: [] },
    warmUpGoals: new Map(),
    nextRebalanceMs: -1,
    rejoinReason: undefined,
    hosts: [],
  };
  stateOffsets = new Map<string, number>();
  readonly clock = new ManualClock();
  readonly membership: Membership;
  /** What the broker tells, if it is the one that does. */
  brokersHosts: LeadersWord['hosts'] | undefined;
  #resolve: (joined: JoinedGroup) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(brokersHosts?: LeadersWord['hosts']) {
    this.brokersHosts = brokersHosts;
    this.membership = new Membership({
      member: this.#member(),
      clock: this.clock,
      readAssignment: () => this.word,
      stateOffsets: () => this.stateOffsets,
      brokersHosts: brokersHosts === undefined ? undefined : () => this.brokersHosts ?? [],
    });
  }

  #member(): GroupMember {
    const stage = this;
    const join = (): Promise<JoinedGroup> =>
      new Promise((resolve, reject) => {
        stage.#resolve = resolve;
        stage.#reject = reject;
      });
    const requestRejoin = (reason: string): void => {
      stage.rejoins.push(reason);
      stage.state = 'rejoin-needed';
    };
    const member = {
      get state() {
        return stage.state;
      },
      join,
      requestRejoin,
    };
    return member as unknown as GroupMember;
  }

  begin(): void {
    this.membership.beginJoin(new AbortController().signal);
  }

  async end(isUnbroken = true): Promise<void> {
    this.state = 'stable';
    this.#resolve({ partitions: [], userData: undefined, isUnbroken });
    await this.clock.settle();
  }

  async fail(error: Error): Promise<void> {
    this.#reject(error);
    await this.clock.settle();
  }

  async join(isUnbroken = true): Promise<void> {
    this.begin();
    await this.end(isUnbroken);
  }

  async takeOver(): Promise<void> {
    await this.join();
    expect(this.membership.next()).toBe('take-over');
    this.membership.takenOver();
  }
}

describe('Membership', () => {
  it('joins, has the assignment taken over, and goes on meanwhile and afterwards', async () => {
    const stage = new Stage();
    const { membership } = stage;
    expect(membership.next()).toBe('join');
    stage.begin();
    expect([membership.next(), membership.isJoining, membership.joinEnded?.aborted]).toEqual(['go-on', true, false]);
    await stage.end();
    expect([membership.isJoining, membership.joinEnded?.aborted]).toEqual([false, true]);
    expect(membership.next()).toBe('take-over');
    expect(membership.assignment).toBe(stage.word);
    membership.takenOver();
    expect([membership.next(), membership.assignment, stage.rejoins]).toEqual(['go-on', undefined, []]);
  });

  it('drops an assignment that was not taken over when the group rebalances again', async () => {
    const stage = new Stage();
    await stage.join();
    expect(stage.membership.next()).toBe('take-over');
    stage.state = 'rejoin-needed';
    expect(stage.membership.next()).toBe('join');
    stage.begin();
    expect(stage.membership.assignment).toBeUndefined();
  });

  it('has the tasks dropped, once, when the membership is lost, joining or not', async () => {
    const stage = new Stage();
    await stage.takeOver();
    stage.state = 'lost';
    expect(stage.membership.next()).toBe('abandon');
    expect(stage.membership.next()).toBe('abandon');
    stage.membership.abandoned();
    expect(stage.membership.next()).toBe('join');
    stage.begin();
    expect(stage.membership.next()).toBe('go-on');
    await stage.end(false);
    expect(stage.membership.next()).toBe('abandon');
    stage.membership.abandoned();
    expect(stage.membership.next()).toBe('take-over');
  });

  it('has the tasks dropped when the join says that the membership was broken, even if the assignment is void', async () => {
    const stage = new Stage();
    await stage.join(false);
    stage.state = 'rejoin-needed';
    expect(stage.membership.next()).toBe('abandon');
    stage.membership.abandoned();
    expect(stage.membership.next()).toBe('join');
  });

  it('is interrupted from the moment on in which that is known, until the tasks are dropped', async () => {
    const stage = new Stage();
    const { membership } = stage;
    await stage.takeOver();
    expect(membership.isInterrupted).toBe(false);
    stage.begin();
    await stage.end(false);
    expect(membership.isInterrupted).toBe(true);
    expect(membership.next()).toBe('abandon');
    membership.abandoned();
    stage.state = 'lost';
    expect(membership.isInterrupted).toBe(true);
    membership.next();
    membership.abandoned();
    expect(membership.isInterrupted).toBe(false);
  });

  it('passes on why it cannot join, once', async () => {
    const stage = new Stage();
    stage.begin();
    await stage.fail(new FatalStreamsError('X', 'not authorized'));
    expect(() => stage.membership.next()).toThrow('not authorized');
    expect(stage.membership.next()).toBe('join');
    stage.state = 'failed';
    expect(() => stage.membership.next()).toThrow('the group membership failed');
  });
});

describe('Membership, where the tasks of the group are', () => {
  const hosts = (endpoint: string): LeadersWord['hosts'] => [{ endpoint, activeTasks: [], standbyTasks: [] }];

  it('is what the leader said last, from the end of the join on, and as a hint also when the membership is lost', async () => {
    const stage = new Stage();
    const { membership } = stage;
    expect(membership.hosts).toEqual([]);
    stage.word = { ...stage.word, hosts: hosts('h:1') };
    await stage.takeOver();
    expect(membership.hosts).toEqual(hosts('h:1'));
    stage.state = 'lost';
    expect(membership.next()).toBe('abandon');
    membership.abandoned();
    stage.begin();
    expect(membership.hosts).toEqual(hosts('h:1'));
    stage.word = { ...stage.word, hosts: hosts('h:2') };
    await stage.end();
    membership.next();
    expect(membership.hosts).toEqual(hosts('h:2'));
  });

  it('is what the broker says now, where the broker assigns the tasks', async () => {
    const stage = new Stage(hosts('h:1'));
    await stage.takeOver();
    expect(stage.membership.hosts).toEqual(hosts('h:1'));
    stage.brokersHosts = hosts('h:2');
    expect(stage.membership.hosts).toEqual(hosts('h:2'));
  });
});

describe('Membership, asking for rebalances', () => {
  it('asks when it has given tasks up, however many attempts taking over takes', async () => {
    const stage = new Stage();
    await stage.join();
    stage.membership.next();
    stage.membership.givesUp();
    expect(stage.membership.next()).toBe('take-over');
    stage.membership.takenOver();
    expect(stage.rejoins).toEqual(['tasks were given up for other members']);
    await stage.takeOver();
    expect(stage.rejoins).toHaveLength(1);
  });

  it('asks when the group does not know it as it is', async () => {
    const stage = new Stage();
    stage.word = { ...stage.word, rejoinReason: 'another state directory' };
    await stage.takeOver();
    expect(stage.rejoins).toEqual(['another state directory']);
  });

  it('asks after the time that the leader set, and when a state has been warmed up', async () => {
    const stage = new Stage();
    stage.word = { ...stage.word, nextRebalanceMs: 5000, warmUpGoals: new Map([['0_1', 10]]) };
    await stage.takeOver();
    await stage.clock.advance(1000);
    expect(stage.membership.next()).toBe('go-on');
    stage.stateOffsets.set('0_1', 10);
    await stage.clock.advance(1000);
    stage.membership.next();
    stage.stateOffsets.clear();
    await stage.takeOver();
    await stage.clock.advance(5000);
    stage.membership.next();
    expect(stage.rejoins).toEqual(['the state of task 0_1 has caught up', 'a probing rebalance is due']);
  });
});
