import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { Program } from './program.ts';
import { TopicAccess } from './topic-access.ts';

const COMMAND = new URL('./millrace-command.ts', import.meta.url);
const MODULE = fileURLToPath(new URL('./count-words.ts', import.meta.url));

// Up to six programs start one after the other, and each needs several seconds on a busy machine.
vi.setConfig({ testTimeout: 360_000 });

/** Without a cache every count is written, whenever commits happen to be. */
const EACH_RESULT = ['--commit-interval-ms', '100', '--config', 'cacheMaxBytes=0'];

/** What each run counts, in order. */
const ONCE = ['1', '1', '2'];

interface Outcome {
  readonly executed: boolean;
  readonly topics: readonly string[];
  readonly localState: readonly string[];
  readonly offsets: readonly { readonly topic: string; readonly from: number | null; readonly to: number }[];
  readonly obstacles: readonly string[];
}

describeWithKafka('millrace reset', (brokers) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'millrace-reset-'));
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

  /** An application of its own with three words to count. */
  async function prepare(access: TopicAccess) {
    const prefix = `reset-${randomUUID().slice(0, 8)}.`;
    await access.create(`${prefix}words`, `${prefix}counts`);
    await access.write(`${prefix}words`, [
      ['a', 'x'],
      ['b', 'x'],
      ['a', 'x'],
    ]);
    const fixed = ['--brokers', brokers, '--application-id', `${prefix}app`, '--state-dir', stateDir];
    const command = (name: string, ...args: string[]) =>
      new Program(COMMAND, [name, MODULE, ...fixed, ...args], { TEST_PREFIX: prefix });
    return { prefix, command };
  }

  type Command = Awaited<ReturnType<typeof prepare>>['command'];

  async function reset(command: Command, ...args: string[]): Promise<{ code: number | null; outcome: Outcome; output: string }> {
    await using program = command('reset', '--json', ...args);
    const { code } = await program.ended;
    return { code, outcome: JSON.parse(program.lines[0] ?? '{}') as Outcome, output: program.output };
  }

  /** Works until the output has so many values in all, stops, and is gone from the group. */
  async function run(command: Command, access: TopicAccess, prefix: string, guarantee: string, count: number): Promise<string[]> {
    await using worker = command('run', '--guarantee', guarantee, ...EACH_RESULT);
    await worker.line((line) => line.includes('state running'));
    const values = await access.read(`${prefix}counts`, (found) => found.length >= count);
    worker.kill('SIGTERM');
    expect(await worker.ended, worker.output).toEqual({ code: 0, signal: null });
    // A worker tells that it leaves for a second at most; after that the group has to miss it.
    await expect.poll(() => access.members(`${prefix}app`), { timeout: 90_000 }).toBe(0);
    return values;
  }

  it.each(['at_least_once', 'exactly_once_v2'])('after it the application does all of its work again: %s', async (guarantee) => {
    await using access = new TopicAccess(brokers);
    const { prefix, command } = await prepare(access);
    const changelog = `${prefix}app-counts-changelog`;
    expect(await run(command, access, prefix, guarantee, 3)).toEqual(ONCE);

    const dry = await reset(command);
    expect(dry, dry.output).toMatchObject({
      code: 0,
      outcome: {
        executed: false,
        topics: [changelog],
        localState: [join(stateDir, `${prefix}app`, '0')],
        offsets: [{ topic: `${prefix}words`, from: 3, to: 0 }],
      },
    });
    expect(await access.exists(changelog)).toBe(true);
    expect(existsSync(join(stateDir, `${prefix}app`))).toBe(true);

    const real = await reset(command, '--execute');
    expect(real, real.output).toMatchObject({ code: 0, outcome: { ...dry.outcome, executed: true } });
    // Kafka's brokers learn a moment after the controller that a topic is gone.
    await expect.poll(() => access.exists(changelog)).toBe(false);
    expect(existsSync(join(stateDir, `${prefix}app`))).toBe(false);

    expect(await run(command, access, prefix, guarantee, 6)).toEqual([...ONCE, ...ONCE]);
  });

  it('is refused while a worker runs, also with --force, and the worker goes on', async () => {
    await using access = new TopicAccess(brokers);
    const { prefix, command } = await prepare(access);
    await using worker = command('run', ...EACH_RESULT);
    await worker.line((line) => line.includes('state running'));
    await access.read(`${prefix}counts`, (values) => values.length >= 3);

    const refused = await reset(command, '--execute');
    expect(refused, refused.output).toMatchObject({
      code: 1,
      outcome: { executed: false, obstacles: [expect.stringContaining('1 members')] },
    });
    await using forced = command('reset', '--execute', '--force');
    expect((await forced.ended).code, forced.output).toBe(1);
    expect(forced.errors).toContain('a process that runs has the local state');

    await access.write(`${prefix}words`, [['b', 'x']]);
    expect(await access.read(`${prefix}counts`, (values) => values.length >= 4)).toEqual([...ONCE, '2']);
  });

  it('removes a worker that died a moment ago from the group, and skips what the inputs hold when asked', async () => {
    await using access = new TopicAccess(brokers);
    const { prefix, command } = await prepare(access);
    {
      const settings = ['--guarantee', 'exactly_once_v2', '--config', 'sessionTimeoutMs=30000', ...EACH_RESULT];
      await using worker = command('run', ...settings);
      await worker.line((line) => line.includes('state running'));
      expect(await access.read(`${prefix}counts`, (values) => values.length >= 3)).toEqual(ONCE);
      worker.kill('SIGKILL');
      await worker.ended;
    }
    const forced = await reset(command, '--execute', '--force', '--to-latest');
    expect(forced, forced.output).toMatchObject({
      code: 0,
      outcome: { executed: true, offsets: [{ topic: `${prefix}words`, to: 3 }] },
    });
    await access.write(`${prefix}words`, [['a', 'x']]);
    expect(await run(command, access, prefix, 'at_least_once', 4)).toEqual([...ONCE, '1']);
  });

  it('names an input that does not exist', async () => {
    const fixed = ['--brokers', brokers, '--application-id', 'x', '--state-dir', stateDir];
    await using program = new Program(COMMAND, ['reset', MODULE, ...fixed], { TEST_PREFIX: 'nowhere-' });
    expect((await program.ended).code, program.output).toBe(1);
    expect(program.errors).toContain('nowhere-words: there is no such topic');
  });
});
