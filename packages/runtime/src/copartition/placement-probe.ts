import type { Logger } from '@millrace/core';
import type { Admin, FetchedPartition } from '@millrace/client';
import { PlacementSample } from './placement-sample.ts';
import type { ProbedGroup } from './probed-groups.ts';

/** From this agreement on a topic is partitioned by default. Not 1: a few records may have been placed by hand. */
const SAME_FROM = 0.95;
/** Below this agreement it is not. In between: some of its records are not, and which of them meet is hard to say. */
const OTHER_BELOW = 0.75;

export interface PlacementProbeOptions {
  readonly groups: readonly ProbedGroup[];
  readonly admin: Pick<Admin, 'describeTopics'>;
  readonly logger: Logger;
}

/** How the topics of a group are partitioned, as far as that is known. */
interface Findings {
  readonly same: readonly string[];
  readonly other: readonly string[];
}

/**
 * Looks at the first keys of topics whose records meet by key, and warns when one is partitioned by the default partitioner and another
 * is not: their records with the same key are in different tasks then, and joins miss them without a word. Two topics with a
 * partitioner of their own are left alone, it may be the same.
 *
 * Looks at what is fetched, before it is queued, and at nothing any more when each group has been judged. Partition counts are compared
 * elsewhere, at the start. Kafka Streams has no counterpart.
 */
export class PlacementProbe {
  readonly #options: PlacementProbeOptions;
  /** Not judged yet. */
  readonly #groups: Set<ProbedGroup>;
  readonly #samples: Map<string, PlacementSample>;

  constructor(options: PlacementProbeOptions) {
    this.#options = options;
    this.#groups = new Set(options.groups);
    const topics = options.groups.flatMap(({ foreign }) => foreign);
    this.#samples = new Map(topics.map((topic) => [topic, new PlacementSample()]));
  }

  /** @returns resolves when what was found has been judged; `undefined`: nothing is to be judged. Never rejects */
  observe(fetched: FetchedPartition): Promise<void> | undefined {
    if (this.#groups.size === 0) return undefined;
    const sample = this.#samples.get(fetched.topic);
    if (sample === undefined || sample.isOver) return undefined;
    sample.observe(fetched);
    return sample.isOver ? this.#judge(fetched.topic) : undefined;
  }

  async #judge(topic: string): Promise<void> {
    for (const group of this.#groups) {
      if (!group.foreign.includes(topic)) continue;
      const isLast = group.foreign.every((one) => this.#samples.get(one)?.isOver);
      const findings = await this.#find(group);
      // Judged meanwhile, with what another topic has shown.
      if (!this.#groups.has(group)) continue;
      const differs = findings.other.length > 0 && findings.same.length > 0;
      if (differs) this.#warn(findings);
      if (differs || isLast) this.#groups.delete(group);
    }
  }

  async #find({ foreign, own }: ProbedGroup): Promise<Findings> {
    const same = [...own];
    const other: string[] = [];
    try {
      for (const [topic, found] of await this.#options.admin.describeTopics(foreign)) {
        const partitions = found?.partitions ?? 1;
        const sample = this.#samples.get(topic);
        if (partitions === 1 || sample === undefined || !sample.isComplete) continue;
        const agreement = sample.agreement(partitions);
        if (agreement >= SAME_FROM) same.push(topic);
        else if (agreement < OTHER_BELOW) other.push(topic);
      }
    } catch (error) {
      this.#options.logger.debug('how co-partitioned topics are partitioned could not be compared', { topics: foreign, error });
    }
    return { same, other };
  }

  #warn({ same, other }: Findings): void {
    this.#options.logger.warn(
      `the records of ${other.join(', ')} are not partitioned by murmur2 of their keys, those of ${same.join(', ')} are: joins and merges by key ` +
        'miss records, because the same key is in different partitions. Write both with the same partitioner, or repartition() the stream of one; ' +
        'partitions that were added to a topic have the same effect',
      { otherPartitioner: other, defaultPartitioner: same },
    );
  }
}
