import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { SubtopologyPlan, TopologyPlan } from '@millrace/topology';
import { MAX_BLOCK_BYTES } from './binary.ts';

/** A text this long is no description of a topology that somebody wrote. */
const MAX_UNPACKED_BYTES = 4 * 1024 * 1024;

/**
 * What members of a group must agree upon, because tasks, their state and what they send one another move between them: which
 * tasks there are and what they read, their stores and changelogs, repartition topics, co-partitioning. What processors do with
 * it may differ: such versions work side by side.
 */
export interface TopologyContract {
  /** Equal for topologies that may share a group. */
  readonly fingerprint: string;
  /** One fact per line. Names of internal topics are without the application id. */
  readonly facts: readonly string[];
  /** The text of `Topology.describe()`. */
  readonly description: string;
}

/** @param description of the same topology */
export function contractOf(plan: TopologyPlan, description: string): TopologyContract {
  const facts = plan.subtopologies.flatMap((part) => factsOf(part).map((fact) => `sub-topology ${part.id} ${fact}`)).sort();
  return { fingerprint: createHash('sha256').update(facts.join('\n')).digest('hex'), facts, description };
}

function factsOf(part: SubtopologyPlan): string[] {
  const together = part.copartitionGroups.map((topics, index) =>
    [...topics, ...(part.copartitionPatterns?.[index] ?? []).map(String)].sort(),
  );
  return [
    ...part.sourceTopics.map((topic) => `reads ${topic}`),
    ...part.sourcePatterns.map((pattern) => `reads what matches ${pattern}`),
    ...part.repartitionSources.map(
      ({ name, partitions }) =>
        `reads the repartition topic ${name}${partitions === undefined ? '' : ` of ${partitions} partitions`}`,
    ),
    ...part.repartitionSinks.map((topic) => `writes the repartition topic ${topic}`),
    ...part.stores.map(storeFact),
    ...together.filter((topics) => topics.length > 1).map((topics) => `needs equal partition counts of ${topics.join(', ')}`),
  ];
}

function storeFact({ builder, sourceTopicAsChangelog }: SubtopologyPlan['stores'][number]): string {
  const backup = builder.loggingEnabled ? `changelog ${sourceTopicAsChangelog ?? 'of its own'}` : 'no changelog';
  const retention = builder.changelogConfig['retention.ms'];
  return `has the store ${builder.name}: ${builder.kind}, ${backup}${retention === undefined ? '' : `, retention.ms ${retention}`}`;
}

/** Makes a contract small enough for an assignment; empty when it is not. */
export function packContract({ facts, description }: TopologyContract): Buffer {
  const packed = deflateRawSync(JSON.stringify({ facts, description }));
  return packed.length > MAX_BLOCK_BYTES ? Buffer.alloc(0) : packed;
}

/** What `packContract` made; `undefined` when it is not that. */
export function unpackContract(packed: Buffer): Pick<TopologyContract, 'facts' | 'description'> | undefined {
  if (packed.length === 0) return undefined;
  try {
    const { facts, description } = JSON.parse(
      inflateRawSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES }).toString('utf8'),
    ) as Partial<TopologyContract>;
    return { facts: (facts ?? []).map(String), description: String(description ?? '') };
  } catch {
    // It only serves a message: without it the message is shorter.
    return undefined;
  }
}
