import { describe, expect, it } from 'vitest';
import { FakeClock } from '../host/fake-host.ts';
import { createPalette } from '../view/palette.ts';
import { createPinoLogger } from './pino-logger.ts';
import { createTerminalLogger } from './terminal-logger.ts';

describe('createPinoLogger', () => {
  it('writes one JSON object a line, with the context and the error', () => {
    const lines: string[] = [];
    const logger = createPinoLogger('info', new FakeClock(), (line) => lines.push(line)).child({ application: 'checkout' });
    logger.debug('not this');
    logger.warn('a task failed', { taskId: '0_1', error: Object.assign(new Error('boom'), { code: 'BUG' }) });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('\n')).toBe(true);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      level: 'warn',
      time: '2026-01-02T03:04:05.000Z',
      application: 'checkout',
      taskId: '0_1',
      msg: 'a task failed',
      error: { message: 'boom', code: 'BUG', stack: expect.stringContaining('boom') },
    });
  });
});

describe('createTerminalLogger', () => {
  it('writes what a person wants to read', () => {
    const lines: string[] = [];
    const palette = createPalette(false);
    const options = { level: 'warn', clock: new FakeClock(), palette, write: (line: string) => lines.push(line) } as const;
    const logger = createTerminalLogger(options).child({ taskId: '0_1' });
    logger.info('not this');
    logger.warn('slow');
    logger.error('failed', { error: new Error('boom'), offset: 7 });
    expect(lines).toEqual(['03:04:05 warn  slow taskId="0_1"', '03:04:05 error failed: boom taskId="0_1" offset=7']);
  });
});
