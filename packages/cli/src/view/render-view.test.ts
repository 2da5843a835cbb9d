import { describe, expect, it } from 'vitest';
import { createPalette } from './palette.ts';
import { renderView } from './render-view.ts';
import type { ViewSnapshot } from './snapshot.ts';

const snapshot: ViewSnapshot = {
  applicationId: 'checkout',
  brokers: ['localhost:9092'],
  guarantee: 'exactly_once_v2',
  state: 'running',
  stateForMs: 185_000,
  tasks: [
    { id: '0_0', phase: 'running' },
    { id: '0_1', phase: 'restoring' },
  ],
  restores: [],
  recordsIn: { total: 1_234_567, perSecond: 12_345.6 },
  recordsOut: undefined,
  commits: undefined,
  dropped: 0,
  lag: undefined,
};

function render(changes: Partial<ViewSnapshot> = {}, columns = 80): string[] {
  return renderView({ ...snapshot, ...changes }, { palette: createPalette(false), columns }).split('\n');
}

describe('renderView', () => {
  it('shows what is known and leaves out what is not', () => {
    expect(render()).toEqual([
      'millrace checkout exactly_once_v2 · localhost:9092',
      'state    running for 3 min 05 s',
      'in       12,346 records/s, 1,234,567 in all',
      'tasks    0_0 running  0_1 restoring',
    ]);
  });

  it('shows output, commits, lag and drops once they are measured', () => {
    const flow = { total: 42, perSecond: 9.87 };
    expect(render({ recordsOut: flow, commits: flow, lag: 7000, dropped: 3 }).slice(3, 7)).toEqual([
      'out      9.9 records/s, 42 in all',
      'commits  9.9 commits/s, 42 in all',
      'lag      7,000 records',
      'dropped  3 records',
    ]);
  });

  it('draws a bar for each store that is being restored', () => {
    const restore = {
      taskId: '0_1',
      store: 'totals',
      fraction: 0.5,
      restoredRecords: 12_000,
      restoredBytes: 3_400_000,
      recordsPerSecond: 3456.7,
      remainingMs: 65_000 as number | undefined,
    };
    expect(render({ restores: [restore] }).at(-1)).toBe(
      'restore  ████████████░░░░░░░░░░░░  50 %  0_1 totals  12,000 records, 3.4 MB, 3,457/s, 1 min 05 s left',
    );
    expect(render({ restores: [{ ...restore, remainingMs: undefined }] }).at(-1)).toMatch(/3,457\/s$/);
    expect(render({ restores: Array.from({ length: 15 }, () => restore) }).at(-1)).toBe('         and 3 more');
  });

  it('counts tasks when there are too many to name', () => {
    const tasks = Array.from({ length: 40 }, (_, partition) => ({
      id: `0_${partition}`,
      phase: partition < 38 ? ('running' as const) : ('restoring' as const),
    }));
    expect(render({ tasks }).at(-1)).toBe('tasks    38 running, 2 restoring');
    expect(render({ tasks: [] }).at(-1)).toBe('tasks    none yet');
  });

  it('fits the head line into the terminal', () => {
    const brokers = Array.from({ length: 9 }, (_, node) => `broker-${node}:9092`);
    const head = render({ brokers }, 60)[0] as string;
    expect(head).toHaveLength(60);
    expect(head.endsWith('…')).toBe(true);
  });
});
