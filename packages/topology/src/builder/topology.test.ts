import { string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { describe, expect, it } from 'vitest';
import { Topology } from './topology.ts';

const nothing = () => ({ init: () => undefined, process: () => undefined });
const base = () => new Topology().addSource('source', 'in').addNode('node', nothing, ['source']).addSink('sink', 'out', ['node']);
const store = (logging = true) => keyValueStore('store', string(), string(), { logging });
const processor = { name: 'g', supplier: () => ({ process: () => undefined }) };

const asking = () => ({ request: async () => 0, process: () => undefined });
const shared = asking();

describe('a topology by hand', () => {
  it.each<[string, string, (topology: Topology) => unknown]>([
    ['two nodes of one name', 'NODE_EXISTS', (t) => t.addNode('source', nothing, ['source'])],
    ['a source of the name of a node', 'NODE_EXISTS', (t) => t.addSource('node', 'in2')],
    ['a parent that is missing', 'UNKNOWN_PARENT', (t) => t.addNode('x', nothing, ['nowhere'])],
    ['no parent', 'NO_PARENT', (t) => t.addNode('x', nothing, [])],
    ['itself as parent', 'OWN_PARENT', (t) => t.addSink('x', 'out', ['x'])],
    ['a sink as parent', 'SINK_AS_PARENT', (t) => t.addNode('x', nothing, ['sink'])],
    ['a topic in two sources', 'SOURCE_TOPIC_TAKEN', (t) => t.addSource('x', ['in2', 'in'])],
    ['a pattern over a topic of another source', 'SOURCE_TOPIC_TAKEN', (t) => t.addSource('x', /i.*/)],
    ['a topic under a pattern of another source', 'SOURCE_TOPIC_TAKEN', (t) => t.addSource('x', /a.*/).addSource('y', 'abc')],
    ['a pattern twice', 'SOURCE_TOPIC_TAKEN', (t) => t.addSource('x', /a.*/).addSource('y', /a.*/)],
    ['a pattern that remembers its position', 'INVALID_PATTERN', (t) => t.addSource('x', /a.*/g)],
    ['a source without topics', 'NO_TOPIC', (t) => t.addSource('x', [])],
    ['a topic that Kafka refuses', 'INVALID_TOPIC_NAME', (t) => t.addSink('x', 'a b', ['node'])],
    ['another store of the same name', 'STORE_EXISTS', (t) => t.addStateStore(store()).addStateStore(store())],
    ['a store name that Kafka refuses', 'INVALID_NAME', (t) => t.addStateStore(keyValueStore('a/b', string(), string()))],
    ['a store that is missing', 'UNKNOWN_STORE', (t) => t.connectProcessorAndStateStores('node', ['nowhere'])],
    ['a store for a sink', 'NOT_A_PROCESSOR', (t) => t.addStateStore(store(), ['sink'])],
    ['a store for a node that is missing', 'NOT_A_PROCESSOR', (t) => t.addStateStore(store(), ['nowhere'])],
    [
      'a global store with a changelog',
      'GLOBAL_STORE_LOGGED',
      (t) => t.addGlobalStore(store(), { name: 'gs', topic: 'g' }, processor),
    ],
    [
      'a global store over a topic that is read',
      'SOURCE_TOPIC_TAKEN',
      (t) => t.addGlobalStore(store(false), { name: 'gs', topic: 'in' }, processor),
    ],
    [
      'one name for both nodes of a global store',
      'NODE_EXISTS',
      (t) => t.addGlobalStore(store(false), { name: 'g', topic: 'g' }, processor),
    ],
    [
      'a global store that is connected',
      'GLOBAL_STORE_CONNECTED',
      (t) =>
        t.addGlobalStore(store(false), { name: 'gs', topic: 'g' }, processor).connectProcessorAndStateStores('node', ['store']),
    ],
    [
      'a read-only store of a name that is taken',
      'STORE_EXISTS',
      (t) => t.addStateStore(store()).addReadOnlyStateStore(store(), { name: 'rs', topic: 'r' }, processor),
    ],
    [
      'a read-only store over a topic that is read',
      'SOURCE_TOPIC_TAKEN',
      (t) => t.addReadOnlyStateStore(store(), { name: 'rs', topic: 'in' }, processor),
    ],
    [
      'a read-only store of which the processor has the name of a node',
      'NODE_EXISTS',
      (t) => t.addReadOnlyStateStore(store(), { name: 'rs', topic: 'r' }, { ...processor, name: 'node' }),
    ],
    [
      'one name for both nodes of a read-only store',
      'NODE_EXISTS',
      (t) => t.addReadOnlyStateStore(store(), { name: 'g', topic: 'r' }, processor),
    ],
    [
      'a processor of a read-only store that tasks would share',
      'SHARED_PROCESSOR',
      (t) => t.addReadOnlyStateStore(store(), { name: 'rs', topic: 'r' }, { name: 'p', supplier: () => shared }),
    ],
    [
      'an asynchronous processor with options that nobody can keep',
      'INVALID_ASYNC_OPTIONS',
      (t) => t.addAsyncProcessor('x', asking, ['source'], { concurrency: 0 }),
    ],
    [
      'an asynchronous processor that tasks would share',
      'SHARED_PROCESSOR',
      (t) => t.addAsyncProcessor('x', () => shared, ['source']),
    ],
    [
      'one repartition topic with two counts',
      'REPARTITION_TOPIC_EXISTS',
      (t) => t.addRepartitionTopic('r', 1).addRepartitionTopic('r', 2),
    ],
  ])('refuses %s', (_what, code, add) => {
    expect(() => add(base())).toThrow(expect.objectContaining({ name: 'TopologyError', code }));
  });

  it('connects the stores that a processor brings', () => {
    const builder = store();
    const supplier = Object.assign(() => ({ process: () => undefined }), { stores: [builder] });
    const topology = base().addProcessor('p', supplier, ['source']).addProcessor('q', supplier, ['source']);
    expect(topology.definition().stores).toEqual([{ builder, nodes: ['p', 'q'], sourceTopicAsChangelog: undefined }]);
  });

  it('connects stores to asynchronous processors as to others', () => {
    const own = keyValueStore('own', string(), string());
    const supplier = Object.assign(() => asking(), { stores: [own] });
    const topology = base()
      .addStateStore(store())
      .addAsyncProcessor('ask', supplier, ['node'], { stores: ['store'], order: 'none' })
      .addSink('answers', 'answers', ['ask']);
    expect(topology.definition().stores.map(({ builder, nodes }) => [builder.name, nodes])).toEqual([
      ['store', ['ask']],
      ['own', ['ask']],
    ]);
  });

  it('adds nothing of a read-only store that it refuses', () => {
    const topology = base();
    expect(() => topology.addReadOnlyStateStore(store(), { name: 'rs', topic: 'in' }, processor)).toThrow();
    expect(topology.definition()).toEqual(base().definition());
  });

  it('reads the topic of a read-only store from its beginning, and restores the store from it instead of a changelog', () => {
    const topology = base()
      .addReadOnlyStateStore(store(), { name: 'rs', topic: 'r' }, { name: 'keep', supplier: processor.supplier })
      .connectProcessorAndStateStores('node', ['store']);
    const { nodes, stores } = topology.definition();
    expect(nodes).toContainEqual(expect.objectContaining({ name: 'rs', topics: ['r'], offsetReset: 'earliest' }));
    expect(stores).toMatchObject([
      { builder: { name: 'store', loggingEnabled: false }, nodes: ['keep', 'node'], sourceTopicAsChangelog: 'r' },
    ]);
    expect(topology.plan().subtopologies).toHaveLength(1);
  });

  it('takes the serdes of a topic, unless others are given', () => {
    const words = topic('words', { key: string(), value: string() });
    const other = { ...string(), name: 'other' };
    const [source, sink] = new Topology()
      .addSource('s', words, { value: other })
      .addSink('t', words, ['s'], { key: other })
      .definition().nodes;
    expect(source).toMatchObject({ keySerde: words.key, valueSerde: other });
    expect(sink).toMatchObject({ keySerde: other, valueSerde: words.value });
  });
});
