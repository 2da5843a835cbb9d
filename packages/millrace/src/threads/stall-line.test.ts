import { describe, expect, it } from 'vitest';
import { stallLine } from './stall-line.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const FIELDS = { taskId: '0_1', forMs: 5001 };

describe('stallLine', () => {
  it('is one JSON object a line, as the logs of a run are', () => {
    const line = stallLine('json', AT, 'it stands "still"', FIELDS);
    expect(line.endsWith('}\n')).toBe(true);
    expect(JSON.parse(line)).toEqual({
      level: 'warn',
      time: '2026-01-02T03:04:05.000Z',
      taskId: '0_1',
      forMs: 5001,
      msg: 'it stands "still"',
    });
  });

  it('is what a person reads at a terminal', () => {
    expect(stallLine('text', AT, 'it stands still', FIELDS)).toBe('03:04:05 warn  it stands still taskId="0_1" forMs=5001\n');
  });
});
