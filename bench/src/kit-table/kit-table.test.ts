import { describe, expect, it } from 'vitest';
import { kitTable, type KitResult } from './kit-table.ts';

function run(name: string, figures: object): KitResult {
  return { name, workload: 'b1', guarantee: 'at_least_once', complete: true, verified: true, ...figures };
}

describe('kitTable', () => {
  it('compares medians and shows their range', () => {
    const ours = [3, 1, 2].map((appCpuPerMTail) => run('millrace', { appCpuPerMTail }));
    const theirs = [4, 5, 3].map((appCpuPerMTail) => run('java-streams', { appCpuPerMTail }));
    expect(
      kitTable([...ours, ...theirs])
        .split('\n')
        .slice(2),
    ).toEqual(['| b1 | at_least_once | CPU-s/M tail | 2 (1–3) | 4 (3–5) | 0.50 | 3/3 : 3/3 |']);
  });

  it('leaves out runs that were not right', () => {
    const runs = [
      run('millrace', { rssMb: 100 }),
      run('millrace', { rssMb: 900, verified: false }),
      run('millrace', { complete: false }),
    ];
    expect(kitTable(runs).split('\n').at(-1)).toBe('| b1 | at_least_once | peak RSS MB | 100 (100–100) | – | – | 1/3 : 0/0 |');
  });

  it('takes latency runs, which nothing verifies but that all was answered', () => {
    const result = { name: 'millrace', workload: 'b7', guarantee: 'at_least_once', complete: true, unanswered: 0, p50: 4.25 };
    expect(kitTable([result])).toContain('| p50 ms | 4.25 (4.25–4.25) |');
  });
});
