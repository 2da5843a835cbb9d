import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTaskId, type TaskId } from '@millrace/core';
import { assignTasks, type AssignmentClient, type TaskToAssign } from './assign-tasks.ts';

function tasks(stateful: number, stateless: number): TaskToAssign[] {
  return [
    ...Array.from({ length: stateful }, (_, partition) => ({ id: { subtopology: 0, partition }, stateful: true })),
    ...Array.from({ length: stateless }, (_, partition) => ({ id: { subtopology: 1, partition }, stateful: false })),
  ];
}

function client(memberId: string, active: readonly string[] = [], onDisk: Record<string, number> = {}): AssignmentClient {
  return { memberId, activeTasks: new Set(active), stateOffsets: new Map(Object.entries(onDisk)) };
}

function names(assignment: Map<string, TaskId[]>): Record<string, string[]> {
  return Object.fromEntries([...assignment].map(([member, ids]) => [member, ids.map(formatTaskId)]));
}

describe('assignTasks', () => {
  it('gives everything to a single member', () => {
    expect(names(assignTasks(tasks(2, 1), [client('a')]))).toEqual({ a: ['0_0', '0_1', '1_0'] });
  });

  it('leaves tasks where they run when the load stays balanced', () => {
    const members = [client('a', ['0_1', '0_3']), client('b', ['0_0', '0_2'])];
    expect(names(assignTasks(tasks(4, 0), members))).toEqual({ a: ['0_1', '0_3'], b: ['0_0', '0_2'] });
  });

  it('moves only what balance asks for when a member joins', () => {
    const members = [client('a', ['0_0', '0_1', '0_2']), client('b', ['0_3', '0_4', '0_5']), client('c')];
    const assignment = names(assignTasks(tasks(6, 0), members));
    expect(assignment.a).toHaveLength(2);
    expect(assignment.b).toHaveLength(2);
    expect(['0_0', '0_1', '0_2']).toEqual(expect.arrayContaining(assignment.a as string[]));
    expect(['0_3', '0_4', '0_5']).toEqual(expect.arrayContaining(assignment.b as string[]));
  });

  it('sends a task of a departed member to the one whose disk holds most of its state', () => {
    const members = [client('a', ['0_0']), client('b', [], { '0_1': 40 }), client('c', [], { '0_1': 900 })];
    expect(names(assignTasks(tasks(3, 0), members)).c).toContain('0_1');
  });

  it('balances stateful and stateless tasks apart', () => {
    const assignment = names(assignTasks(tasks(2, 2), [client('a'), client('b')]));
    for (const ids of Object.values(assignment)) {
      expect(ids.filter((id) => id.startsWith('0_'))).toHaveLength(1);
      expect(ids.filter((id) => id.startsWith('1_'))).toHaveLength(1);
    }
  });

  it('is valid, balanced, stable and independent of the order of members', () => {
    const scenario = fc.record({
      stateful: fc.nat(30),
      stateless: fc.nat(30),
      members: fc.integer({ min: 1, max: 9 }),
      owners: fc.array(fc.nat(8), { maxLength: 60 }),
    });
    fc.assert(
      fc.property(scenario, ({ stateful, stateless, members, owners }) => {
        const all = tasks(stateful, stateless);
        const active = Array.from({ length: members }, () => [] as string[]);
        for (const [index, task] of all.entries()) active[(owners[index] ?? index) % members]?.push(formatTaskId(task.id));
        const clients = active.map((ids, index) => client(`m${index}`, ids));
        const assignment = names(assignTasks(all, clients));
        const placed = Object.values(assignment).flat();
        expect([...placed].sort()).toEqual(all.map((task) => formatTaskId(task.id)).sort());
        for (const kind of ['0_', '1_', '']) {
          const loads = Object.values(assignment).map((ids) => ids.filter((id) => id.startsWith(kind)).length);
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        }
        expect(names(assignTasks([...all].reverse(), [...clients].reverse()))).toEqual(assignment);
        const again = clients.map(({ memberId }) => client(memberId, assignment[memberId]));
        expect(names(assignTasks(all, again))).toEqual(assignment);
      }),
    );
  });
});
