import { NO_HEADERS, type Record, string, topic } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { Topology } from '../builder/topology.ts';
import { RecordingTask } from '../node/recording-task.ts';
import { TaskTopology } from '../node/task-topology.ts';
import type { FixedKeyProcessor, FixedKeyRecord, Processor, ProcessorContext } from './processor.ts';
import { fixedKeyNodeSupplier } from './user-processor.ts';

type Text = Record<string, string>;

const input = topic('in', { key: string(), value: string() });

/** A topology with one processor between a source and two sinks. */
function between(build: (topology: Topology) => Topology): { task: RecordingTask; pipe: (...values: string[]) => void } {
  const topology = build(new Topology().addSource('source', input)).addSink('out', 'out', ['p']).addSink('side', 'side', ['p']);
  const task = new RecordingTask();
  const nodes = TaskTopology.create(topology.plan().subtopologies[0]!, task, (name) => name);
  let offset = 0;
  return {
    task,
    pipe(...values) {
      for (const value of values) {
        task.recordContext.set('in', 0, offset++, 5, NO_HEADERS);
        nodes.source('in')?.process('k', value, 5, NO_HEADERS, undefined, true);
      }
    },
  };
}

function processor(process: (context: ProcessorContext<string, string>, record: Text) => void | Promise<void>) {
  return between((topology) =>
    topology.addProcessor('p', (): Processor<string, string, string, string> => {
      let context: ProcessorContext<string, string>;
      return {
        init(given) {
          context = given;
        },
        process: (record) => process(context, record),
      };
    }, ['source']),
  );
}

async function settled(task: RecordingTask): Promise<void> {
  await Promise.all(task.pending);
}

describe('a processor', () => {
  it('forwards to all children, or to the one it names', () => {
    const { task, pipe } = processor((context, record) => {
      if (record.value === 'a') context.forward(record.withValue('A'));
      else context.forward(record.withTimestamp(9), 'side');
    });
    pipe('a', 'b');
    expect(task.sent.map(({ node, value, timestamp }) => [node, value, timestamp])).toEqual([
      ['out', 'A', 5],
      ['side', 'A', 5],
      ['side', 'b', 9],
    ]);
  });

  it('fails when it names a node that is not its child', () => {
    const { pipe } = processor((context, record) => context.forward(record, 'elsewhere'));
    expect(() => pipe('a')).toThrow(expect.objectContaining({ code: 'UNKNOWN_CHILD' }));
  });

  it('cannot make a record with a negative timestamp; the processing handler is asked', () => {
    const { task, pipe } = processor((context, record) => context.forward(record.withTimestamp(-1)));
    expect(() => pipe('a')).toThrow(expect.objectContaining({ code: 'PROCESSING_FAILED' }));
    expect(task.errors[0]?.error).toBeInstanceOf(RangeError);
  });

  it('cannot forward when neither a record is processed nor a punctuator runs', () => {
    let leaked: () => void = () => undefined;
    const { task, pipe } = processor((context, record) => {
      leaked = () => context.forward(record);
      context.schedule(10, 'stream-time', leaked);
    });
    pipe('a');
    expect(leaked).toThrow(expect.objectContaining({ code: 'FORWARD_OUTSIDE_PROCESS' }));
    void task.punctuators[0]?.(10);
    expect(task.sent).toHaveLength(2);
  });

  it('cannot be punctuated more often than every millisecond', () => {
    const { pipe } = processor((context) => void context.schedule(0, 'wall-clock-time', () => undefined));
    expect(() => pipe('a')).toThrow(expect.objectContaining({ code: 'INVALID_INTERVAL' }));
  });

  it('knows where its record comes from', () => {
    const seen: unknown[] = [];
    const { pipe } = processor((context) => void seen.push(context.recordMetadata()));
    pipe('a', 'b');
    expect(seen).toEqual([
      { topic: 'in', partition: 0, offset: 0 },
      { topic: 'in', partition: 0, offset: 1 },
    ]);
  });

  it('must be a new object for each task', () => {
    const shared: Processor<string, string> = { process: () => undefined };
    expect(() => new Topology().addSource('source', input).addProcessor('p', () => shared, ['source'])).toThrow(
      expect.objectContaining({ code: 'SHARED_PROCESSOR' }),
    );
  });
});

describe('a processor that returns a promise', () => {
  it('gets its next record when the promise is settled, each in its own context', async () => {
    const seen: unknown[] = [];
    const { task, pipe } = processor(async (context, record) => {
      await Promise.resolve();
      seen.push([record.value, context.recordMetadata()?.offset]);
      context.forward(record);
    });
    pipe('a', 'b', 'c');
    expect(task.sent).toEqual([]);
    expect(task.pending).toHaveLength(1);
    await settled(task);
    expect(seen).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
    expect(task.sent.map(({ value }) => value)).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  });

  it('asks the processing handler about a rejection and goes on when that says so', async () => {
    const { task, pipe } = processor(async (context, record) => {
      await Promise.resolve();
      if (record.value === 'bad') throw new Error('bad');
      context.forward(record, 'out');
    });
    task.onError = 'continue';
    pipe('bad', 'good');
    await settled(task);
    expect(task.errors).toMatchObject([{ node: 'p', key: 'k', value: 'bad' }]);
    expect(task.sent.map(({ value }) => value)).toEqual(['good']);
  });

  it('stops the task when the handler says fail', async () => {
    const { task, pipe } = processor(() => Promise.reject(new Error('bad')));
    pipe('a', 'b');
    await expect(settled(task)).rejects.toMatchObject({ code: 'PROCESSING_FAILED' });
    expect(task.errors).toHaveLength(1);
  });

  it('leaves a record to a synchronous call again afterwards', async () => {
    const { task, pipe } = processor((context, record) => {
      context.forward(record, 'out');
      return record.value === 'slow' ? Promise.resolve() : undefined;
    });
    pipe('slow');
    await settled(task);
    pipe('fast');
    expect(task.pending).toHaveLength(1);
    expect(task.sent.map(({ value }) => value)).toEqual(['slow', 'fast']);
  });
});

describe('a fixed-key processor', () => {
  const fixed = (forge: boolean) => () => {
    let forward: (record: FixedKeyRecord<string, string>) => void;
    const made: FixedKeyProcessor<string, string, string> = {
      init(context) {
        forward = (record) => context.forward(record);
      },
      process(record) {
        forward(forge ? { ...record, key: 'other' } : record.withValue('v').withTimestamp(8));
      },
    };
    return made;
  };
  const run = (forge: boolean) => between((topology) => topology.addNode('p', fixedKeyNodeSupplier(fixed(forge)), ['source']));

  it('forwards records derived from those it got', () => {
    const { task, pipe } = run(false);
    pipe('a');
    expect(task.sent[0]).toMatchObject({ key: 'k', value: 'v', timestamp: 8 });
  });

  it('cannot forward a record with a key of its own making', () => {
    expect(() => run(true).pipe('a')).toThrow(expect.objectContaining({ code: 'FOREIGN_RECORD' }));
  });
});
