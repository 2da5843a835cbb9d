import type { TopologyDefinition } from '../builder/topology-definition.ts';
import { describeTopology } from '../describe/describe-topology.ts';

/** What of a topology lives on when the program changes: state, internal topics, and the numbers in task ids. */
export interface TopologyOutline {
  /** Those of global stores are left out: they have no tasks. */
  readonly subtopologies: readonly SubtopologyOutline[];
  /** By store: whether it has a changelog; `undefined` when that cannot be told. */
  readonly stores: ReadonlyMap<string, boolean | undefined>;
  /** Repartition topics and those of foreign-key joins, without the application prefix. */
  readonly internalTopics: ReadonlySet<string>;
}

export interface SubtopologyOutline {
  readonly id: number;
  readonly stores: readonly string[];
  /** Read and written, internal ones among them. */
  readonly topics: readonly string[];
  readonly nodes: readonly string[];
}

/** The outline of a topology that is there. */
export function outlineOf(definition: TopologyDefinition): TopologyOutline {
  return {
    ...parseDescription(describeTopology(definition)),
    stores: new Map(
      definition.stores.map(({ builder, sourceTopicAsChangelog }) => [
        builder.name,
        builder.loggingEnabled && sourceTopicAsChangelog === undefined,
      ]),
    ),
    internalTopics: new Set(definition.repartitionTopics.map(({ name }) => name)),
  };
}

/** Names of internal topics end so; others with these names would have to be both written and read by the application. */
const INTERNAL = /-repartition$|-subscription-(?:registration|response)(?:-\d{10})?-topic$/i;

/**
 * The outline of a topology of which only the description is left, be it by Millrace or by Kafka Streams. It does not say which
 * stores have changelogs.
 */
export function parseDescription(text: string): TopologyOutline {
  const subtopologies: SubtopologyOutline[] = [];
  const internalTopics = new Set<string>();
  for (const block of text.split(/^ *Sub-topology: /m).slice(1)) {
    const [heading = ''] = block.split('\n', 1);
    if (heading.includes('for global store')) continue;
    const read = listsIn(block, /^ *Source: \S+ \(topics: \[(.*)\]\)$/gm);
    const written = listsIn(block, /^ *Sink: \S+ \(topic: (.*)\)$/gm);
    subtopologies.push({
      id: Number.parseInt(heading, 10),
      stores: listsIn(block, /^ *Processor: \S+ \(stores: \[(.*)\]\)$/gm),
      topics: [...new Set([...read, ...written])],
      nodes: listsIn(block, /^ *(?:Source|Processor|Sink): (\S+) \(/gm),
    });
    for (const topic of read) if (INTERNAL.test(topic)) internalTopics.add(topic);
  }
  const stores = new Map(subtopologies.flatMap(({ stores: names }) => names).map((name) => [name, undefined]));
  return { subtopologies, stores, internalTopics };
}

function listsIn(block: string, pattern: RegExp): string[] {
  const names = [...block.matchAll(pattern)].flatMap(([, list = '']) => list.split(', '));
  return [...new Set(names.filter((name) => name !== ''))];
}
