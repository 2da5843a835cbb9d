import { type Headers, NO_HEADERS, RetriableError, string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { Topology } from '../builder/topology.ts';
import type { NodeContext, NodeProcessor } from './node-processor.ts';
import { RecordingTask } from './recording-task.ts';
import { TaskTopology } from './task-topology.ts';

const words = topic('words', { key: string(), value: string() });

/** A node that hands on what a function makes of its input. */
function node(process: (context: NodeContext, key: unknown, value: unknown, timestamp: number, headers: Headers) => void) {
  return (): NodeProcessor => {
    let context: NodeContext;
    return {
      init(given) {
        context = given;
      },
      process: (key, value, timestamp, headers) => process(context, key, value, timestamp, headers),
    };
  };
}

const forward = node((context, key, value, timestamp, headers) =>
  context.forward(key, value, timestamp, headers, undefined, true),
);

function start(topology: Topology, task = new RecordingTask()): { task: RecordingTask; pipe: (value: unknown) => void } {
  const [plan] = topology.plan().subtopologies;
  if (plan === undefined) throw new Error('no sub-topology');
  const nodes = TaskTopology.create(plan, task, (name) => `app-${name}`);
  return {
    task,
    pipe(value) {
      task.recordContext.set('words', 0, 0, 7, NO_HEADERS);
      nodes.source('app-words')?.process('k', value, 7, NO_HEADERS, undefined, true);
    },
  };
}

describe('the nodes of a task', () => {
  it('forward to all children in the order in which they were added, depth first', () => {
    const order: string[] = [];
    const note = (name: string) =>
      node((context, key, value, timestamp, headers) => {
        order.push(name);
        context.forward(key, value, timestamp, headers, undefined, true);
      });
    const topology = new Topology()
      .addSource('source', words)
      .addNode('b', note('b'), ['source'])
      .addNode('a', note('a'), ['source'])
      .addNode('b-child', note('b-child'), ['b'])
      .addNode('a-child', note('a-child'), ['a', 'b']);
    start(topology).pipe('x');
    expect(order).toEqual(['b', 'b-child', 'a-child', 'a', 'a-child']);
  });

  it('show the timestamp and headers of a forwarded record while it is processed below', () => {
    const seen: number[] = [];
    const look = node(({ recordContext }) => seen.push(recordContext.timestamp));
    const later = node((context, key, value, timestamp) => {
      context.forward(key, value, timestamp + 5, [{ key: 'h', value: undefined }], undefined, true);
      seen.push(context.recordContext.timestamp);
      expect(context.recordContext.headers).toBe(NO_HEADERS);
    });
    const topology = new Topology()
      .addSource('source', words)
      .addNode('later', later, ['source'])
      .addNode('look', look, ['later']);
    start(topology).pipe('x');
    expect(seen).toEqual([12, 7]);
  });

  it('write to sinks whose internal topics carry the prefix of the application', () => {
    const topology = new Topology().addSource('source', words).addSink('sink', 'out', ['source']);
    const { task, pipe } = start(topology);
    pipe('x');
    expect(task.targets.map((target) => target.topic)).toEqual(['app-out']);
    expect(task.sent).toEqual([{ node: 'sink', key: 'k', value: 'x', timestamp: 7, headers: NO_HEADERS }]);
  });

  it('find the source of a topic by name, else by a pattern that matches the whole name', () => {
    const topology = new Topology()
      .addSource('exact', words)
      .addSource('pattern', /app-in.*/)
      .addNode('both', forward, ['exact', 'pattern']);
    const [plan] = topology.plan().subtopologies;
    const nodes = TaskTopology.create(plan!, new RecordingTask(), (name) => `app-${name}`);
    expect(nodes.source('app-words')?.name).toBe('exact');
    expect(nodes.source('app-in-1')?.name).toBe('pattern');
    expect(nodes.source('my-app-in-1')).toBeUndefined();
  });
});

describe('an error in user code', () => {
  const failing = node((_context, _key, value) => {
    throw value;
  });
  const topology = () =>
    new Topology().addSource('source', words).addNode('outer', forward, ['source']).addNode('inner', failing, ['outer']);

  it('is decided about once, with the node that threw it', () => {
    const { task, pipe } = start(topology());
    const error = new Error('bad');
    expect(() => pipe(error)).toThrow(expect.objectContaining({ code: 'PROCESSING_FAILED', node: 'inner' }));
    expect(task.errors).toEqual([{ node: 'inner', error, key: 'k', value: error }]);
  });

  it('lets the record go when the handler says so', () => {
    const task = new RecordingTask();
    task.onError = 'continue';
    const { pipe } = start(topology(), task);
    expect(() => pipe(new Error('bad'))).not.toThrow();
  });

  it('is not shown to the handler when the framework threw it', () => {
    const { task, pipe } = start(topology());
    expect(() => pipe(new RetriableError('LATER', 'later'))).toThrow(expect.objectContaining({ code: 'LATER' }));
    expect(task.errors).toEqual([]);
  });

  it('names the node when it happens in init', () => {
    const broken = () => ({
      init() {
        throw new Error('no config');
      },
      process: () => undefined,
    });
    const broke = new Topology().addSource('source', words).addNode('broken', broken, ['source']);
    expect(() => start(broke)).toThrow(/no config.*node broken/);
  });
});

describe('closing', () => {
  const closing = (closed: string[], name: string, fault: 'init' | 'close' | undefined) => () => ({
    init() {
      if (fault === 'init') throw new Error(name);
    },
    process: () => undefined,
    close() {
      closed.push(name);
      if (fault === 'close') throw new Error(name);
    },
  });

  it('goes on after a failure and throws the first one at the end', () => {
    const closed: string[] = [];
    const topology = new Topology()
      .addSource('source', words)
      .addNode('a', closing(closed, 'a', 'close'), ['source'])
      .addNode('b', closing(closed, 'b', 'close'), ['source']);
    const nodes = TaskTopology.create(topology.plan().subtopologies[0]!, new RecordingTask(), (name) => name);
    expect(() => nodes.close()).toThrow('a');
    expect(closed).toEqual(['a', 'b']);
  });

  it('happens to those already initialised when another cannot be', () => {
    const closed: string[] = [];
    const topology = new Topology()
      .addSource('source', words)
      .addNode('a', closing(closed, 'a', undefined), ['source'])
      .addNode('b', closing(closed, 'b', 'init'), ['source']);
    expect(() => start(topology)).toThrow(expect.objectContaining({ code: 'PROCESSOR_INIT_FAILED' }));
    expect(closed).toEqual(['a']);
  });
});

describe('stores', () => {
  const asking = (name: string) => () => ({
    init: (context: NodeContext) => void context.getStore(name),
    process: () => undefined,
  });
  const counts = keyValueStore('counts', string(), string());

  it('are refused to a processor that is not connected, with the way to connect it', () => {
    const topology = new Topology()
      .addSource('source', words)
      .addNode('owner', forward, ['source'])
      .addNode('other', asking('counts'), ['source'])
      .addStateStore(counts, ['owner']);
    expect(() => start(topology)).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_CONNECTED', node: 'other', store: 'counts' }),
    );
  });

  it('are refused when the task has no such store', () => {
    const topology = new Topology().addSource('source', words).addNode('other', asking('elsewhere'), ['source']);
    expect(() => start(topology)).toThrow(expect.objectContaining({ code: 'STORE_NOT_CONNECTED' }));
  });

  it('are given to connected processors, and global ones to all', () => {
    const topology = new Topology()
      .addSource('source', words)
      .addNode('owner', asking('counts'), ['source'])
      .addNode('other', asking('global'), ['source'])
      .addStateStore(counts, ['owner']);
    const task = new RecordingTask();
    task.stores.set('counts', counts.build());
    task.stores.set('global', counts.build());
    expect(() => start(topology, task)).not.toThrow();
  });
});
