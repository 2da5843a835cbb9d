import { describe, expect, it } from 'vitest';
import { LATEST_OFFSET, type PlacementMember } from './placement-input.ts';
import { placeTasks } from './place-tasks.ts';
import { CHANGELOG_END, named, SETTINGS, SimulatedGroup, tasksOf } from './simulated-group.ts';

interface Held {
  readonly active?: readonly string[];
  readonly standby?: readonly string[];
  readonly promised?: readonly string[];
  /** State on disk by task. */
  readonly disk?: { readonly [task: string]: number };
  readonly process?: string;
  readonly tags?: { readonly [tag: string]: string };
}

function member(
  memberId: string,
  { active = [], standby = [], promised = [], disk = {}, process = memberId, tags = {} }: Held = {},
): PlacementMember {
  return {
    memberId,
    processId: process,
    activeTasks: new Set(active),
    standbyTasks: new Set(standby),
    promisedTasks: new Set(promised),
    stateOffsets: new Map([...Object.entries(disk), ...active.map((task) => [task, LATEST_OFFSET] as const)]),
    clientTags: new Map(Object.entries(tags)),
  };
}

describe('placeTasks, active tasks', () => {
  it('gives everything to a single member', () => {
    const placement = placeTasks(tasksOf(2, -1), [member('a')], SETTINGS);
    expect(named(placement)).toEqual({ a: { active: ['0_0', '0_1', '1_0'] } });
    expect(placement.isSettled).toBe(true);
  });

  it('leaves tasks where they run when the load stays balanced', () => {
    const members = [member('a', { active: ['0_1', '0_3'] }), member('b', { active: ['0_0', '0_2'] })];
    expect(named(placeTasks(tasksOf(4), members, SETTINGS))).toEqual({
      a: { active: ['0_1', '0_3'] },
      b: { active: ['0_0', '0_2'] },
    });
  });

  it('gives a member that joins late its share of every sub-topology', () => {
    const members = [member('a', { active: ['0_0', '0_1', '1_0', '1_1'] }), member('b')];
    expect(named(placeTasks(tasksOf(-2, -2), members, SETTINGS))).toEqual({
      a: { active: ['0_0', '1_0'] },
      b: { active: ['0_1', '1_1'] },
    });
  });

  it('balances tasks with and without state apart, and all of them', () => {
    expect(named(placeTasks(tasksOf(1, -1, 1, -1, -1), [member('a'), member('b')], SETTINGS))).toEqual({
      a: { active: ['0_0', '1_0', '4_0'] },
      b: { active: ['2_0', '3_0'] },
    });
  });

  it('sends a task of a departed member to the one whose disk holds most of its state', () => {
    const members = [
      member('a', { active: ['0_0'] }),
      member('b', { disk: { '0_1': 40_000, '0_2': 5 } }),
      member('c', { disk: { '0_1': 900_000 } }),
    ];
    const placed = named(placeTasks(tasksOf(3), members, SETTINGS));
    expect(placed.c?.active).toEqual(['0_1']);
    expect(placed.b?.active).toEqual(['0_2']);
  });

  it('gives a member that comes back the tasks whose state it has kept', () => {
    const disk = { '0_1': CHANGELOG_END - 10, '0_2': CHANGELOG_END - 10 };
    const members = [member('a', { active: ['0_0', '0_1', '0_2', '0_3'] }), member('b', { disk })];
    expect(named(placeTasks(tasksOf(4), members, SETTINGS)).b?.active).toEqual(['0_1', '0_2']);
  });
});

describe('placeTasks, warm-ups', () => {
  it('leaves a task where its state is, while the member that is to have it warms up', () => {
    const members = [member('a', { active: ['0_0', '0_1'] }), member('b')];
    const placement = placeTasks(tasksOf(2), members, SETTINGS);
    expect(named(placement)).toEqual({ a: { active: ['0_0', '0_1'] }, b: { warmUps: ['0_1'] } });
    expect(placement.isSettled).toBe(false);
  });

  it('moves it as soon as no more than the acceptable lag is missing', () => {
    const at = (offset: number): PlacementMember[] => [
      member('a', { active: ['0_0', '0_1'] }),
      member('b', { standby: ['0_1'], disk: { '0_1': offset } }),
    ];
    const behind = placeTasks(tasksOf(2), at(CHANGELOG_END - SETTINGS.acceptableRecoveryLag - 1), SETTINGS);
    expect(named(behind).a?.active).toEqual(['0_0', '0_1']);
    const caughtUp = placeTasks(tasksOf(2), at(CHANGELOG_END - SETTINGS.acceptableRecoveryLag), SETTINGS);
    expect(named(caughtUp)).toEqual({ a: { active: ['0_0'] }, b: { active: ['0_1'] } });
    expect(caughtUp.isSettled).toBe(true);
  });

  it('keeps to a move that is under way, although the last commit before it has made the state lag again', () => {
    const atOnce = { ...SETTINGS, acceptableRecoveryLag: 0 };
    const disk = { '0_1': CHANGELOG_END };
    const follower = { standby: ['0_1'], disk: { '0_1': CHANGELOG_END - 1 } };
    const given = [member('a', { active: ['0_0'], disk }), member('b', { ...follower, promised: ['0_1'] })];
    const placement = placeTasks(tasksOf(2), given, atOnce);
    expect(named(placement)).toEqual({ a: { active: ['0_0'] }, b: { active: ['0_1'] } });
    expect(placement.isSettled).toBe(true);
    const kept = [member('a', { active: ['0_0', '0_1'] }), member('b', { ...follower, promised: ['0_1'] })];
    expect(named(placeTasks(tasksOf(2), kept, atOnce)).a?.active).toEqual(['0_0', '0_1']);
  });

  it('warms up only so many at a time, and finishes those that it has begun', () => {
    const disk = { '0_4': 70_000 };
    const active = ['0_0', '0_1', '0_2', '0_3', '0_4', '0_5'];
    const placed = placeTasks(tasksOf(6), [member('a', { active }), member('b', { standby: ['0_4'], disk })], SETTINGS);
    expect(named(placed).b?.warmUps).toEqual(['0_3', '0_4']);
  });

  it('gives a task that nobody has the state of to its ideal owner at once', () => {
    expect(named(placeTasks(tasksOf(2), [member('a'), member('b')], SETTINGS))).toEqual({
      a: { active: ['0_0'] },
      b: { active: ['0_1'] },
    });
  });

  it('moves tasks between threads of one process without a warm-up', () => {
    const members = [member('a', { active: ['0_0', '0_1'], process: 'p' }), member('b', { process: 'p' })];
    expect(named(placeTasks(tasksOf(2), members, SETTINGS))).toEqual({ a: { active: ['0_0'] }, b: { active: ['0_1'] } });
  });

  it('moves tasks without state at once', () => {
    const members = [member('a', { active: ['0_0', '0_1'] }), member('b')];
    expect(named(placeTasks(tasksOf(-2), members, SETTINGS))).toEqual({ a: { active: ['0_0'] }, b: { active: ['0_1'] } });
  });

  it('trusts whoever is furthest when the ends of the changelogs are unknown, and asks for another rebalance', () => {
    const tasks = tasksOf(2).map((task) => ({ ...task, changelogEnd: undefined }));
    const placement = placeTasks(tasks, [member('a', { active: ['0_0', '0_1'] }), member('b')], SETTINGS);
    expect(named(placement).a?.active).toEqual(['0_0', '0_1']);
    expect(placement.isSettled).toBe(false);
  });
});

describe('placeTasks, standby tasks', () => {
  const settings = { ...SETTINGS, numStandbyReplicas: 1 };

  it('keeps a copy of each state on another process, evenly, and none of tasks without state', () => {
    const group = new SimulatedGroup(tasksOf(4, -2), settings);
    group.add('p0');
    group.add('p1');
    group.settle(20);
    expect(named(group.place())).toEqual({
      'p0-0': { active: ['0_0', '0_2', '1_0'], standby: ['0_1', '0_3'] },
      'p1-1': { active: ['0_1', '0_3', '1_1'], standby: ['0_0', '0_2'] },
    });
  });

  it('places none where the only other member is a thread of the same process', () => {
    const members = [member('a', { process: 'p' }), member('b', { process: 'p' })];
    expect(Object.values(named(placeTasks(tasksOf(2), members, settings))).flatMap(({ standby = [] }) => standby)).toEqual([]);
  });

  it('lets a copy take over at once when the process of the active task is gone', () => {
    const members = [
      member('b', { active: ['0_1'] }),
      member('c', { active: ['0_2'], standby: ['0_0'], disk: { '0_0': CHANGELOG_END - 3 } }),
    ];
    const placement = placeTasks(tasksOf(3), members, settings);
    expect(named(placement).c?.active).toEqual(['0_0', '0_2']);
    expect(placement.isSettled).toBe(true);
  });

  it('prefers values of tags that no copy has yet', () => {
    const zones = ['a', 'a', 'b', 'c'].map((zone, index) => member(`m${index}`, { tags: { zone } }));
    const tagged = { ...settings, numStandbyReplicas: 2, rackAwareAssignmentTags: ['zone'] };
    const { byMember } = placeTasks(tasksOf(1), zones, tagged);
    const holders = [...byMember].filter(([, { active, standby }]) => active.length + standby.length > 0);
    expect(holders.map(([id]) => id)).toEqual(['m0', 'm2', 'm3']);
  });

  it('keeps copies where they are', () => {
    const disk = { '0_0': CHANGELOG_END };
    const members = [member('a', { active: ['0_0'] }), member('b'), member('c', { standby: ['0_0'], disk })];
    expect(named(placeTasks(tasksOf(1), members, settings)).c?.standby).toEqual(['0_0']);
  });
});

it('places 1,000 tasks on 100 members with a copy of each in less than a second of CPU time', () => {
  const group = new SimulatedGroup(tasksOf(...Array.from({ length: 10 }, () => 100)), { numStandbyReplicas: 1 });
  for (let process = 0; process < 100; process++) group.add(`p${process}`);
  group.round();
  group.drop('p7-7');
  // Not by the clock: other processes may have the processor for seconds.
  const begin = process.cpuUsage();
  const { byMember } = group.place();
  const { user, system } = process.cpuUsage(begin);
  expect((user + system) / 1000).toBeLessThan(1000);
  expect([...byMember.values()].flatMap(({ standby }) => standby)).toHaveLength(1000);
});
