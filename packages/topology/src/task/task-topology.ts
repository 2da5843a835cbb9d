import { assert } from '@millrace/core';
import type { TaskPort } from '../node/task-port.ts';
import type { NodeSpec, SourceSpec, SubtopologyPlan } from '../plan/specs.ts';
import { ProcessorNode, type Receiver } from './processor-node.ts';
import { SinkNode } from './sink-node.ts';
import { SourceNode } from './source-node.ts';

interface PatternSource {
  readonly pattern: RegExp;
  readonly node: SourceNode;
}

/**
 * The nodes of one sub-topology, made for one task: fresh processors, connected, initialised.
 *
 * @example
 * const topology = TaskTopology.create(plan, task, (name) => name);
 * topology.source('orders')?.process(key, value, timestamp, headers, undefined, true);
 */
export class TaskTopology {
  readonly #sources = new Map<string, SourceNode>();
  readonly #patterns: PatternSource[] = [];
  readonly #processors: readonly ProcessorNode[];

  private constructor(plan: SubtopologyPlan, task: TaskPort, resolveTopic: (name: string) => string, globalStores: ReadonlySet<string>) {
    const nodes = new Map<string, ProcessorNode | SourceNode | SinkNode>();
    for (const spec of plan.nodes) nodes.set(spec.name, createNode(spec, plan, task, resolveTopic, globalStores));
    for (const [name, children] of childrenByParent(plan.nodes, nodes)) {
      const parent = nodes.get(name);
      assert(parent !== undefined && !(parent instanceof SinkNode), `node ${name} is a parent`);
      parent.connect(children);
    }
    for (const spec of plan.nodes) if (spec.kind === 'source') this.#addSource(spec, nodes.get(spec.name) as SourceNode, resolveTopic);
    this.#processors = [...nodes.values()].filter((node) => node instanceof ProcessorNode);
  }

  /**
   * Makes the nodes and initialises the processors, parents before children.
   *
   * @param resolveTopic gives the name on the broker of a topic of the topology: internal ones get the application prefix
   * @param globalStores names of the stores that every processor may read
   */
  static create(
    plan: SubtopologyPlan,
    task: TaskPort,
    resolveTopic: (name: string) => string,
    globalStores: ReadonlySet<string> = new Set(),
  ): TaskTopology {
    const topology = new TaskTopology(plan, task, resolveTopic, globalStores);
    for (const processor of topology.#processors) processor.init();
    return topology;
  }

  /** The node that reads a topic, by its name on the broker. */
  source(topic: string): SourceNode | undefined {
    return this.#sources.get(topic) ?? this.#patterns.find(({ pattern }) => pattern.test(topic))?.node;
  }

  /** Closes the processors, children before parents; the first error is thrown after all have been closed. */
  close(): void {
    const failures: unknown[] = [];
    for (const processor of [...this.#processors].reverse()) {
      try {
        processor.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #addSource(spec: SourceSpec, node: SourceNode, resolveTopic: (name: string) => string): void {
    if (spec.topics instanceof RegExp) this.#patterns.push({ pattern: spec.topics, node });
    else for (const topic of spec.topics) this.#sources.set(resolveTopic(topic), node);
  }
}

function createNode(
  spec: NodeSpec,
  plan: SubtopologyPlan,
  task: TaskPort,
  resolveTopic: (name: string) => string,
  globalStores: ReadonlySet<string>,
): ProcessorNode | SourceNode | SinkNode {
  if (spec.kind === 'source') return new SourceNode(spec);
  if (spec.kind === 'sink') return new SinkNode(spec, task, resolveTopic);
  const stores = plan.stores.filter(({ nodes }) => nodes.includes(spec.name)).map(({ builder }) => builder.name);
  return new ProcessorNode(spec.name, spec.supplier(), task, new Set(stores), globalStores);
}

/** Children in the order in which they were added to the topology: the order in which records reach them. */
function childrenByParent(specs: readonly NodeSpec[], nodes: ReadonlyMap<string, Receiver>): Map<string, Receiver[]> {
  const children = new Map<string, Receiver[]>();
  for (const spec of specs) {
    if (spec.kind === 'source') continue;
    for (const parent of spec.parents) {
      const list = children.get(parent) ?? [];
      list.push(nodes.get(spec.name) as Receiver);
      children.set(parent, list);
    }
  }
  return children;
}
