import { RecordBatchHeader, readBatchHeader } from '@millrace/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicConfigs } from '../configs/topic-configs.ts';
import { batchOf, textsIn } from '../raw-client/requests.ts';
import { MemoryPartition } from '../storage/memory-partition.ts';
import { cleanLog } from './cleaner.ts';
import { PartitionLog } from './partition-log.ts';
import { readLog } from './read-log.ts';

const NOW = 1_700_000_000_000;

class CompactedLog {
  nowMs = NOW;
  readonly log: PartitionLog;

  constructor(configs: Record<string, string> = {}) {
    const all = new Map(Object.entries({ 'cleanup.policy': 'compact', 'delete.retention.ms': '1000', ...configs }));
    const topic = new TopicConfigs({}, all);
    this.log = new PartitionLog({
      name: 'topic-0',
      storage: new MemoryPartition(false, () => undefined),
      settings: () => topic.settings,
      leaderEpoch: 0,
      nowMs: () => this.nowMs,
    });
  }

  write(...texts: string[]): void {
    this.log.appendProduced(batchOf(texts, {}, this.nowMs));
  }

  writeAs(producerId: number, baseSequence: number, text: string, transactional = true): void {
    this.log.appendProduced(batchOf([text], { producerId, producerEpoch: 0, baseSequence, transactional }, this.nowMs));
  }

  end(producerId: number, commit: boolean): void {
    this.log.appendMarker({ commit, producerId, producerEpoch: 0, coordinatorEpoch: 0 });
  }

  roll(): void {
    this.log.segments.roll(this.log.highWatermark);
  }

  clean(): boolean {
    this.roll();
    return cleanLog(this.log, this.nowMs, true);
  }

  /** Everything, segment by segment. */
  get texts(): string[] {
    return this.log.segments.all.flatMap(({ bytes }) => textsIn(bytes.read(0, bytes.sizeInBytes)));
  }
}

describe('compaction', () => {
  it('keeps the last record of each key at its offset, and leaves the start of the log where it is', () => {
    const one = new CompactedLog();
    one.write('a=1', 'b=1', 'a=2');
    one.write('c=1');
    one.write('a=3', 'd=1');
    expect(one.clean()).toBe(true);
    expect(one.texts).toEqual(['1:b=1', '3:c=1', '4:a=3', '5:d=1']);
    expect([one.log.logStartOffset, one.log.highWatermark]).toEqual([0, 6]);
    const read = readLog(one.log, { offset: 0, maxBytes: 1000, isolation: 'read_uncommitted', atLeastOneBatch: true });
    expect(textsIn(read.records)[0]).toBe('1:b=1');
  });

  it('keeps an empty batch where the log would otherwise end in nothing', () => {
    const one = new CompactedLog();
    one.write('a=1');
    one.roll();
    one.write('a=2');
    one.roll();
    one.write('b=1');
    cleanLog(one.log, one.nowMs, true);
    expect(one.texts).toEqual(['1:a=2', '2:b=1']);
    one.write('a=3');
    one.roll();
    one.write('a=4', 'b=4');
    one.clean();
    expect(one.texts).toEqual(['4:a=4', '5:b=4']);
    one.write('a=5');
    one.write('b=5');
    one.clean();
    expect(one.texts).toEqual(['6:a=5', '7:b=5']);
  });

  it('keeps the last batch of a producer, empty, so that its sequence outlives a restart', () => {
    const one = new CompactedLog();
    one.writeAs(7, 0, 'a=1', false);
    one.writeAs(7, 1, 'a=2', false);
    one.write('a=3');
    one.clean();
    expect(one.texts).toEqual(['1:empty', '2:a=3']);
    const header = new RecordBatchHeader();
    readBatchHeader(one.log.segments.all[0]?.bytes.read(0, 61) as Buffer, 0, header);
    expect(header).toMatchObject({ producerId: 7, baseSequence: 1, lastOffset: 1, recordCount: 0 });
  });

  it('drops a tombstone only when readers have had time to see it', () => {
    const one = new CompactedLog();
    one.write('a=1', 'b=1');
    one.write('a=');
    one.write('c=1');
    one.clean();
    expect(one.texts).toEqual(['1:b=1', '2:a=', '3:c=1']);
    one.nowMs += 500;
    one.clean();
    expect(one.texts).toContain('2:a=');
    one.nowMs += 501;
    one.clean();
    expect(one.texts).toEqual(['1:b=1', '3:c=1']);
  });

  it('never lets a transaction that is aborted, or may be, take the place of anything', () => {
    const one = new CompactedLog();
    one.write('a=1');
    one.writeAs(7, 0, 'a=aborted');
    one.end(7, false);
    one.writeAs(8, 0, 'a=open');
    one.clean();
    expect(one.texts).toEqual(['0:a=1', '1:a=aborted', '2:control', '3:a=open']);
    one.end(8, true);
    one.write('b=1');
    one.clean();
    expect(one.texts).toEqual(['1:empty', '2:control', '3:a=open', '4:control', '5:b=1']);
  });

  it('drops a marker when nothing is left of its transaction, some time later', () => {
    const one = new CompactedLog();
    one.writeAs(7, 0, 'a=1');
    one.end(7, true);
    one.writeAs(7, 1, 'a=2');
    one.end(7, true);
    one.write('z=1');
    const markers = () => one.texts.filter((text) => text.endsWith('control'));
    one.clean();
    expect(markers()).toEqual(['1:control', '3:control']);
    one.clean();
    one.nowMs += 1001;
    one.clean();
    expect(markers()).toEqual(['3:control']);
    expect(one.texts).toContain('2:a=2');
  });

  it('leaves alone what is too young, and logs of which little is new', () => {
    const young = new CompactedLog({ 'min.compaction.lag.ms': '60000' });
    young.write('a=1');
    young.write('a=2');
    expect(young.clean()).toBe(false);
    const one = new CompactedLog();
    for (let i = 0; i < 10; i++) one.write(`${i}=x`);
    expect(one.clean()).toBe(true);
    one.write('0=y');
    one.roll();
    expect(cleanLog(one.log, one.nowMs)).toBe(false);
    for (let i = 0; i < 20; i++) one.write(`${i % 3}=y`);
    one.roll();
    expect(cleanLog(one.log, one.nowMs)).toBe(true);
  });

  it('leaves for every reader the same last values', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 4 }),
      roll: fc.boolean(),
      clean: fc.boolean(),
      isTombstone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const one = new CompactedLog({ 'delete.retention.ms': '0' });
        const expected = new Map<string, string>();
        for (const [index, { key, roll, clean, isTombstone }] of steps.entries()) {
          one.write(isTombstone ? `${key}=` : `${key}=${index}`);
          if (isTombstone) expected.delete(String(key));
          else expected.set(String(key), String(index));
          one.nowMs += 1;
          if (roll) one.roll();
          if (clean) one.clean();
        }
        expect(lastValues(one.texts)).toEqual(expected);
        expect(one.log.highWatermark).toBe(steps.length);
      }),
    );
  });
});

function lastValues(texts: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const text of texts) {
    const [, key, value] = /^\d+:(\d+)=(.*)$/.exec(text) ?? [];
    if (key === undefined) continue;
    if (value === '') values.delete(key);
    else values.set(key, value as string);
  }
  return values;
}
