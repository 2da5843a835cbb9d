import { type DevBroker, startBroker } from '@millrace/broker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isInstalled, runProgram } from './run-program.ts';

// Each test runs several programs.
vi.setConfig({ testTimeout: 240_000 });

const hasKcat = isInstalled('kcat', '-V');
const reason = hasKcat ? '' : ' (skipped: kcat is not installed)';

describe.skipIf(!hasKcat)(`kcat on the development broker${reason}`, () => {
  let broker: DevBroker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  async function kcat(options: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await runProgram('kcat', ['-b', broker.bootstrapServers, ...options], input);
    expect(code, stderr).toBe(0);
    return stdout;
  }

  const produce = (topic: string, lines: readonly string[], ...options: readonly string[]) =>
    kcat(['-P', '-t', topic, '-K:', ...options], lines.map((line) => `${line}\n`).join(''));
  const consume = async (topic: string, ...options: readonly string[]) => {
    const output = await kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k:%s %h\n', ...options]);
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.trim());
  };

  it('lists brokers and topics', async () => {
    await produce('listed', ['a:1']);
    const output = await kcat(['-L']);
    expect(output).toContain(broker.bootstrapServers);
    expect(output).toContain('topic "listed" with 1 partitions');
  });

  it.each(['none', 'gzip', 'snappy', 'lz4'])('produces and consumes, compressed with %s', async (codec) => {
    const topic = `codec-${codec}`;
    const lines = Array.from({ length: 50 }, (_, index) => `k${index}:${'value'.repeat(20)}${index}`);
    await produce(topic, lines, '-H', 'h=x', '-z', codec);
    expect(await consume(topic)).toEqual(lines.map((line) => `${line} h=x`));
  });

  it('produces idempotently', async () => {
    await produce('idempotent', ['a:1', 'b:2'], '-X', 'enable.idempotence=true');
    expect(await consume('idempotent')).toEqual(['a:1', 'b:2']);
  });

  it('consumes in a group, and goes on where it stopped', async () => {
    await produce('grouped', ['a:1', 'b:2', 'c:3']);
    const read = async (count: number) => {
      const settings = ['-X', 'auto.offset.reset=earliest', '-X', 'session.timeout.ms=30000'];
      const output = await kcat(['-G', 'readers', '-q', '-c', String(count), '-f', '%k:%s\n', ...settings, 'grouped']);
      return output.trim().split('\n');
    };
    expect(await read(2)).toEqual(['a:1', 'b:2']);
    expect(await read(1)).toEqual(['c:3']);
  });

  it('commits transactions, and reads none that is aborted', async () => {
    await produce('transactional', ['a:1', 'b:2'], '-X', 'transactional.id=kcat');
    expect(await consume('transactional', '-X', 'isolation.level=read_committed')).toEqual(['a:1', 'b:2']);
  });

  it('finds offsets by time', async () => {
    await produce('timed', ['a:1', 'b:2']);
    expect(await kcat(['-Q', '-t', 'timed:0:-1'])).toContain('offset 2');
    expect(await kcat(['-Q', '-t', 'timed:0:1'])).toContain('offset 0');
  });
});
