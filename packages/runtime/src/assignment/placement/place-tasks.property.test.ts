import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTaskId } from '@millrace/core';
import type { PlacementSettings } from './placement-input.ts';
import { placeTasks } from './place-tasks.ts';
import { named, SimulatedGroup, tasksOf } from './simulated-group.ts';

const EVENTS = ['add', 'drop', 'restart', 'round'] as const;

const scenarios = fc.record({
  counts: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 5 }),
  numStandbyReplicas: fc.nat(2),
  maxWarmupReplicas: fc.integer({ min: 1, max: 4 }),
  isTagged: fc.boolean(),
  events: fc.array(fc.tuple(fc.constantFrom(...EVENTS), fc.nat(100)), { maxLength: 25 }),
});

type Scenario = typeof scenarios extends fc.Arbitrary<infer S> ? S : never;

/** Members come, go and come back between rebalances; two threads per process. */
function played({ counts, events, isTagged, ...settings }: Scenario, check: (group: SimulatedGroup) => void): SimulatedGroup {
  const group = new SimulatedGroup(tasksOf(...counts), settingsOf(settings, isTagged));
  const processes = 6;
  const add = (process: number): string => group.add(`p${process}`, { zone: `z${process % 3}`, rack: `r${process % 2}` });
  add(0);
  for (const [event, number] of events) {
    const ids = [...group.members.keys()];
    const picked = ids[number % ids.length] as string;
    if (event === 'add') add(number % processes);
    if (event === 'drop' && ids.length > 1) group.drop(picked);
    if (event === 'restart') {
      group.drop(picked);
      add(Number(picked.slice(1, 2)));
    }
    if (event !== 'round') continue;
    check(group);
    group.round();
  }
  return group;
}

function settingsOf(
  settings: Pick<PlacementSettings, 'numStandbyReplicas' | 'maxWarmupReplicas'>,
  isTagged: boolean,
): Partial<PlacementSettings> {
  return { ...settings, rackAwareAssignmentTags: isTagged ? ['zone', 'rack'] : [] };
}

function expectValid(group: SimulatedGroup): void {
  const { byMember } = group.place();
  const processOf = new Map([...group.members.values()].map(({ memberId, processId }) => [memberId, processId]));
  const processes = new Set(processOf.values()).size;
  const warmUps = [...byMember.values()].flatMap((member) => member.warmUps).length;
  expect(warmUps).toBeLessThanOrEqual(group.settings.maxWarmupReplicas);
  for (const { id, stateful } of group.tasks) {
    const key = formatTaskId(id);
    const holders = (kind: 'active' | 'standby' | 'warmUps'): (string | undefined)[] =>
      [...byMember].filter(([, member]) => member[kind].some((one) => formatTaskId(one) === key)).map(([m]) => processOf.get(m));
    expect(holders('active')).toHaveLength(1);
    const copies = [...holders('active'), ...holders('standby'), ...holders('warmUps')];
    expect(new Set(copies).size).toBe(copies.length);
    const wanted = stateful ? Math.min(group.settings.numStandbyReplicas, processes - 1) : 0;
    const standbys = holders('standby').length;
    expect(standbys).toBeLessThanOrEqual(wanted);
    // A warm-up takes the place of a copy only where there are not enough processes for both.
    expect(standbys + holders('warmUps').length).toBeGreaterThanOrEqual(wanted);
  }
}

function expectBalanced(group: SimulatedGroup): void {
  const loads = (isCounted: (task: (typeof group.tasks)[number]) => boolean): number[] => {
    const counted = new Set(group.tasks.filter(isCounted).map(({ id }) => formatTaskId(id)));
    return Object.values(group.active).map((tasks) => tasks.filter((task) => counted.has(task)).length);
  };
  const skew = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);
  expect(skew(loads(() => true))).toBeLessThanOrEqual(1);
  expect(skew(loads(({ stateful }) => stateful))).toBeLessThanOrEqual(1);
  expect(skew(loads(({ stateful }) => !stateful))).toBeLessThanOrEqual(1);
  for (const subtopology of new Set(group.tasks.map(({ id }) => id.subtopology))) {
    expect(skew(loads(({ id }) => id.subtopology === subtopology))).toBeLessThanOrEqual(1);
  }
}

describe('placeTasks, whatever has happened', () => {
  it('runs every task once, and places copies on distinct other processes, never more than asked for', () => {
    fc.assert(fc.property(scenarios, (scenario) => void expectValid(played(scenario, expectValid))));
  });

  it('converges, and is balanced then', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const group = played(scenario, () => undefined);
        const tasks = group.tasks.length;
        expect(group.settle(2 * (tasks + tasks * scenario.numStandbyReplicas))).toBeLessThan(Number.POSITIVE_INFINITY);
        expect(group.place().isSettled).toBe(true);
        expectBalanced(group);
        expectValid(group);
      }),
    );
  });

  it('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const group = played(scenario, () => undefined);
        const reversed = placeTasks([...group.tasks].reverse(), group.view().reverse(), group.settings);
        expect(named(reversed)).toEqual(named(group.place()));
      }),
    );
  });

  it('moves only the tasks of a member that leaves, with one sub-topology', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 2, max: 8 }), fc.nat(100));
    fc.assert(
      fc.property(sizes, ([count, members, picked]) => {
        const group = new SimulatedGroup(tasksOf(count));
        const ids = Array.from({ length: members }, (_, process) => group.add(`p${process}`));
        group.settle(2 * count);
        group.drop(ids[picked % members] as string);
        const before = group.active;
        group.settle(2 * count);
        for (const [member, tasks] of Object.entries(before)) expect(group.active[member]).toEqual(expect.arrayContaining(tasks));
      }),
    );
  });

  it('moves few other tasks when a member leaves, with several sub-topologies', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 2, max: 8 }), fc.nat(100), (sizes, members, picked) => {
        const group = new SimulatedGroup(tasksOf(...sizes));
        const ids = Array.from({ length: members }, (_, process) => group.add(`p${process}`));
        const tasks = group.tasks.length;
        group.settle(2 * tasks);
        group.drop(ids[picked % members] as string);
        const before = group.active;
        group.settle(2 * tasks);
        const moved = Object.entries(before).flatMap(([member, held]) =>
          held.filter((task) => !group.active[member]?.includes(task)),
        );
        // What balance over all sub-topologies asks for: at most the odd task of each.
        expect(moved.length).toBeLessThanOrEqual(sizes.length);
      }),
    );
  });
});
