import { FatalStreamsError, StreamsError } from '@millrace/core';
import { matchesTopic } from '../builder/topic-pattern.ts';
import type { NodeSpec, SinkSpec, SubtopologyPlan } from '../plan/specs.ts';
import { ProcessorNode } from './processor-node.ts';
import type { RecordReceiver } from './record-receiver.ts';
import { SinkNode } from './sink-node.ts';
import { SourceNode } from './source-node.ts';
import type { TaskPort } from './task-port.ts';

/** The nodes of one task: fresh processors, connected as the plan says. */
export class TaskTopology {
  readonly #byTopic = new Map<string, SourceNode>();
  readonly #byPattern: { readonly pattern: RegExp; readonly source: SourceNode }[] = [];
  readonly #processors: ProcessorNode[] = [];

  /**
   * Makes and initialises the nodes. Stores must be open, as processors may read them from `init` on.
   *
   * @param resolveTopic the name on the broker of a topic of the plan
   * @throws what user code throws in a supplier or in `init`, as FatalStreamsError `PROCESSOR_INIT_FAILED`
   */
  static create(plan: SubtopologyPlan, task: TaskPort, resolveTopic: (name: string) => string): TaskTopology {
    const topology = new TaskTopology();
    topology.#addNodes(plan, task, resolveTopic);
    for (const node of topology.#processors) {
      try {
        callUserCode('PROCESSOR_INIT_FAILED', node.name, task, () => node.init());
      } catch (error) {
        topology.#closeAll(topology.#processors.slice(0, topology.#processors.indexOf(node)));
        throw error;
      }
    }
    return topology;
  }

  /** The source that reads a topic, given by its name on the broker. */
  source(topic: string): SourceNode | undefined {
    const source = this.#byTopic.get(topic);
    if (source !== undefined) return source;
    return this.#byPattern.find(({ pattern }) => matchesTopic(pattern, topic))?.source;
  }

  /** Closes every processor, even when one of them fails; throws the first failure afterwards. */
  close(): void {
    const [failure] = this.#closeAll(this.#processors);
    if (failure !== undefined) throw failure.error;
  }

  #closeAll(processors: readonly ProcessorNode[]): { readonly error: unknown }[] {
    const failures: { readonly error: unknown }[] = [];
    for (const node of processors) {
      try {
        node.close();
      } catch (error) {
        failures.push({ error });
      }
    }
    return failures;
  }

  #addNodes(plan: SubtopologyPlan, task: TaskPort, resolveTopic: (name: string) => string): void {
    const parents = new Map<string, SourceNode | ProcessorNode>();
    const allStores = new Set(plan.stores.map(({ builder }) => builder.name));
    for (const spec of plan.nodes) {
      if (spec.kind === 'source') {
        const source = new SourceNode(spec);
        parents.set(spec.name, source);
        if (spec.topics instanceof RegExp) this.#byPattern.push({ pattern: spec.topics, source });
        else for (const topic of spec.topics) this.#byTopic.set(resolveTopic(topic), source);
        continue;
      }
      const node = spec.kind === 'sink' ? createSink(spec, task, resolveTopic) : createProcessor(spec, plan, task, allStores);
      if (node instanceof ProcessorNode) {
        this.#processors.push(node);
        parents.set(spec.name, node);
      }
      for (const parent of spec.parents) parents.get(parent)?.addChild(node);
    }
  }
}

function createProcessor(
  spec: Extract<NodeSpec, { kind: 'processor' }>,
  plan: SubtopologyPlan,
  task: TaskPort,
  all: ReadonlySet<string>,
): ProcessorNode {
  const connected = new Set(plan.stores.filter(({ nodes }) => nodes.includes(spec.name)).map(({ builder }) => builder.name));
  return callUserCode('PROCESSOR_INIT_FAILED', spec.name, task, () => new ProcessorNode(spec, task, { connected, all }));
}

function createSink(spec: SinkSpec, task: TaskPort, resolveTopic: (name: string) => string): RecordReceiver {
  const { name, topic, keySerde, valueSerde, changeSerde, partitioner } = spec;
  const writer = task.sinkWriter({
    node: name,
    topic: typeof topic === 'string' ? resolveTopic(topic) : topic,
    keySerde,
    valueSerde,
    changeSerde,
    partitioner,
  });
  return new SinkNode(name, writer, task);
}

function callUserCode<T>(code: string, node: string, task: TaskPort, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof StreamsError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FatalStreamsError(code, `a processor could not be initialised: ${reason}`, {
      taskId: task.taskId,
      node,
      cause: error,
    });
  }
}
