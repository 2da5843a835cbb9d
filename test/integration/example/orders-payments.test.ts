import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { describeWithKafka } from '../kafka-under-test.ts';
import { Program } from './program.ts';

// The example gives itself two minutes on a busy machine, and starts before that and ends after it.
vi.setConfig({ testTimeout: 240_000 });

const MAIN = 'examples/01-orders-payments/src/main.ts';
/** Fewer orders within less time; long enough for a take-over. */
const SHORT = ['--orders', '240', '--seconds', '5'];

const folder = mkdtempSync(join(tmpdir(), 'example-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run whose state goes where one can see what is left of it. */
function run(args: readonly string[], env: Readonly<{ [name: string]: string }> = {}): Program {
  return new Program(MAIN, args, { KAFKA_BROKERS: '', TMPDIR: folder, ...env });
}

/** What each run must print: who did what, and that nothing is missing, wrong, or there twice. */
async function expectRight(example: Program): Promise<void> {
  expect(await example.ended, example.output).toEqual({ code: 0, signal: null });
  expect(example.output).toMatch(/worker-\d killed with SIGKILL/);
  expect(example.output).toMatch(/take-over: worker-\d has partitions? [\d ]+ too, \d+\.\d s after the kill/);
  expect(example.lines.at(-1)).toMatch(/^240 orders, \d+ payments → \d+ paid, \d+ unpaid: all right, each pair exactly once$/);
  expectNothingLeft(example);
}

/** Workers end with the run, and so does what they wrote. (tsx keeps a cache there.) */
function expectNothingLeft(example: Program): void {
  for (const [, pid] of example.output.matchAll(/is process (\d+)/g)) expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.startsWith('millrace'))).toEqual([]);
}

describe('the orders and payments example on its own broker', () => {
  it('survives the kill of a worker with every result right, and ends by itself', async () => {
    await using example = run(SHORT);
    await expectRight(example);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing behind after %s', async (signal) => {
    await using example = run([]);
    await example.line((line) => line.includes('now an hour of orders'));
    example.kill(signal);
    expect(await example.ended, example.output).toEqual({ code: 130, signal: null });
    expect(example.errors).toBe('');
    expectNothingLeft(example);
  });

  it('says so when a worker fails', async () => {
    await using example = run([]);
    const started = await example.line((line) => line.includes('worker-1 is process'));
    process.kill(Number(/process (\d+)/.exec(started)?.[1]), 'SIGTERM');
    expect(await example.ended, example.output).toEqual({ code: 1, signal: null });
    expect(example.errors).toContain('error: worker-1 has ended (SIGTERM)');
    expectNothingLeft(example);
  });

  it('says so when its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using example = run(['--port', String(port)]);
    expect(await example.ended).toEqual({ code: 1, signal: null });
    expect(example.errors).toMatch(new RegExp(`^error: the broker cannot listen on 127.0.0.1:${port}: it is in use; .*\\n$`));
    other.close();
  });

  it('says so when no Kafka answers', async () => {
    await using example = run(['--brokers', '127.0.0.1:1']);
    expect(await example.ended).toEqual({ code: 1, signal: null });
    expect(example.errors).toMatch(/^error: no Kafka answers at 127\.0\.0\.1:1 within 10 s; .*\n$/);
  });

  it('ends with 2 when it is used wrongly', async () => {
    await using example = run(['--port', 'x']);
    expect(await example.ended).toEqual({ code: 2, signal: null });
    expect(example.errors).toContain('error: --port is "x"');
  });
});

describeWithKafka('the orders and payments example on a real Kafka', (brokers) => {
  it('survives the kill of a worker with every result right, and deletes its topics', async () => {
    await using example = run([...SHORT, '--brokers', brokers]);
    await expectRight(example);
  });
});
