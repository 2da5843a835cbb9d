import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { Program } from './program.ts';
import { TopicAccess } from './topic-access.ts';

const COMMAND = new URL('./millrace-command.ts', import.meta.url);
const MODULE = fileURLToPath(new URL('./count-words.ts', import.meta.url));

// Programs start one after the other, and each needs several seconds on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

/** What is only said because something took long; that is the machine's affair. */
const SLOWNESS = /^(still retrying|the event loop )/;

describeWithKafka('millrace run', (brokers) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'millrace-run-'));
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

  /** A prefix of its own for topics and application; the topics exist. */
  async function prepare(access: TopicAccess): Promise<{ prefix: string; run: (...args: string[]) => Program }> {
    const prefix = `run-${randomUUID().slice(0, 8)}.`;
    await access.create(`${prefix}words`, `${prefix}counts`);
    const fixed = ['--brokers', brokers, '--application-id', `${prefix}app`, '--state-dir', stateDir];
    return { prefix, run: (...args) => new Program(COMMAND, ['run', MODULE, ...fixed, ...args], { TEST_PREFIX: prefix }) };
  }

  it.each(['at_least_once', 'exactly_once_v2'])(
    'counts, stops cleanly on SIGTERM and goes on where it stopped: %s',
    async (guarantee) => {
      await using access = new TopicAccess(brokers);
      const { prefix, run } = await prepare(access);
      const settings = ['--guarantee', guarantee, '--commit-interval-ms', '100', '--config', 'cacheMaxBytes=0'];
      await access.write(`${prefix}words`, [
        ['a', 'x'],
        ['b', 'x'],
        ['a', 'x'],
      ]);
      {
        await using worker = run(...settings);
        await worker.line((line) => line.includes('state running'));
        expect(await access.read(`${prefix}counts`, (values) => values.length >= 3)).toEqual(['1', '1', '2']);
        worker.kill('SIGTERM');
        expect(await worker.ended, worker.output).toEqual({ code: 0, signal: null });
        const lines = worker.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'progress', state: 'not-running', recordsIn: 3 });
        const complaints = lines.filter(({ level }) => level === 'error' || level === 'warn');
        expect(complaints.filter(({ msg }) => !SLOWNESS.test(String(msg)))).toEqual([]);
      }
      await access.write(`${prefix}words`, [['a', 'x']]);
      await using again = run(...settings);
      expect(await access.read(`${prefix}counts`, (values) => values.length >= 4)).toEqual(['1', '1', '2', '3']);
      again.kill('SIGINT');
      expect(await again.ended, again.output).toEqual({ code: 0, signal: null });
      const restored = again.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'restored');
      expect(restored.reduce((sum, { records }) => sum + records, 0)).toBe(0);
    },
  );

  it('runs several threads, shows them as one application, and stops them all', async () => {
    await using access = new TopicAccess(brokers);
    const { prefix, run } = await prepare(access);
    await access.write(`${prefix}words`, [
      ['a', 'x'],
      ['a', 'x'],
    ]);
    await using worker = run('--threads', '2', '--guarantee', 'exactly_once_v2', '--config', 'cacheMaxBytes=0');
    await worker.line((line) => line.includes('state running'));
    expect(await access.read(`${prefix}counts`, (values) => values.length >= 2)).toEqual(['1', '2']);
    worker.kill('SIGTERM');
    expect(await worker.ended, worker.output).toEqual({ code: 0, signal: null });
    const lines = worker.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'progress', state: 'not-running', recordsIn: 2 });
    // Whoever leads the group says how it has assigned the tasks.
    expect(lines.find(({ msg }) => msg === 'assigned tasks')).toMatchObject({ thread: expect.any(Number) });
  });

  it('ends with 1 and the reason when the program fails', async () => {
    await using access = new TopicAccess(brokers);
    const { prefix, run } = await prepare(access);
    await access.write(`${prefix}words`, [['a', '!bad']]);
    await using worker = run();
    expect(await worker.ended, worker.output).toEqual({ code: 1, signal: null });
    expect(worker.output).toContain('cannot count !bad');
    expect(worker.output).toContain(`${prefix}words-0`);
  });

  it('ends with 2 when it is used wrongly', async () => {
    await using unknown = new Program(COMMAND, [
      'run',
      MODULE,
      '--brokers',
      brokers,
      '--application-id',
      'x',
      '--config',
      'nonsense=1',
    ]);
    expect((await unknown.ended).code, unknown.output).toBe(2);
    expect(unknown.errors).toContain('nonsense: there is no such setting');
    await using missing = new Program(COMMAND, ['run', 'no-such-file.js', '--brokers', brokers, '--application-id', 'x']);
    expect((await missing.ended).code, missing.output).toBe(2);
  });

  it('describes a topology', async () => {
    await using command = new Program(COMMAND, ['describe', MODULE]);
    expect((await command.ended).code, command.output).toBe(0);
    expect(command.lines[0]).toBe('Topologies:');
    expect(command.output).toContain('(topics: [words])');
  });
});
