import { TopologyError } from '@millrace/core';
import type { Topology } from '@millrace/topology';

/** What a generated name contains: a prefix of one of the families, and the number. */
const GENERATED = /(?:^|-)(?:KSTREAM|KTABLE|COGROUPKSTREAM|STATE-STORE)-(?:[A-Z-]+-)?\d{10}(?:-|$)/;

/**
 * Throws when the name of a store, a changelog or a repartition topic was generated; names all of them.
 *
 * Source: Kafka Streams `InternalTopologyBuilder.checkUnprovidedNames` (KIP-1111).
 */
export function assertExplicitNames(topology: Topology): void {
  const { stores, globalStores, repartitionTopics } = topology.definition();
  const unnamed = stores.filter(({ builder }) => GENERATED.test(builder.name));
  const withChangelog = unnamed.filter(
    ({ builder, sourceTopicAsChangelog }) => builder.loggingEnabled && !sourceTopicAsChangelog,
  );
  const found = [
    list(
      'changelog topics',
      withChangelog.map(({ builder }) => `${builder.name}-changelog`),
    ),
    list(
      'stores',
      [...stores, ...globalStores].map(({ builder }) => builder.name).filter((name) => GENERATED.test(name)),
    ),
    list(
      'repartition topics',
      repartitionTopics.map(({ name }) => name).filter((name) => GENERATED.test(name)),
    ),
  ].filter((text) => text !== undefined);
  if (found.length === 0) return;
  throw new TopologyError(
    'GENERATED_NAMES',
    `the topology may have no generated names in stores and internal topics, but has: ${found.join('; ')}. ` +
      'Name stores with the options `store` and `storeName`, repartition topics with `name` of groupBy, groupByKey, repartition or the join',
  );
}

function list(what: string, names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `${what} ${names.join(', ')}`;
}
