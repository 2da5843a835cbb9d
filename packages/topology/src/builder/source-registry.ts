import { TopologyError } from '@millrace/core';
import type { SourceSpec } from '../plan/specs.ts';
import { matchesTopic, samePattern } from './topic-pattern.ts';

/** Which source reads which topic: a topic has one source at most, so that each record is read once. */
export class SourceRegistry {
  readonly #sources: SourceSpec[] = [];

  /** @throws TopologyError `SOURCE_TOPIC_TAKEN` when another source reads, or may read, one of its topics */
  add(source: SourceSpec): void {
    for (const other of this.#sources) {
      const shared = sharedTopic(source.topics, other.topics);
      if (shared === undefined) continue;
      throw new TopologyError(
        'SOURCE_TOPIC_TAKEN',
        `sources ${other.name} and ${source.name} both read ${shared}; a topic has one source: give that source two children`,
        { node: source.name },
      );
    }
    this.#sources.push(source);
  }

  get names(): string[] {
    return this.#sources.map(({ name }) => name);
  }
}

function sharedTopic(a: SourceSpec['topics'], b: SourceSpec['topics']): string | undefined {
  if (a instanceof RegExp) {
    if (b instanceof RegExp) return samePattern(a, b) ? `topics like ${a.source}` : undefined;
    return b.find((topic) => matchesTopic(a, topic));
  }
  return b instanceof RegExp ? a.find((topic) => matchesTopic(b, topic)) : a.find((topic) => b.includes(topic));
}
