import type { Joiner } from '../operators/callbacks.ts';
import { streamGlobalJoinOperator } from '../operators/stream-global-join.ts';
import type { GlobalJoinOptions } from '../options/global-join-options.ts';
import { deriveStream, type GlobalTableOrigin, type StreamOrigin } from '../origin/origins.ts';

export interface GlobalJoinDefinition<K, L, GK, R, Out> {
  readonly kind: 'inner' | 'left';
  readonly joiner: Joiner<K, L, R | undefined, Out>;
  readonly options: GlobalJoinOptions<K, L, GK, Out>;
}

/**
 * Adds a join of a stream with a global table. Nothing has to be partitioned alike.
 *
 * Source: Kafka Streams `KStreamImpl.globalTableJoin`, which calls inner joins `LEFTJOIN`, too.
 */
export function addStreamGlobalJoin<K, L, GK, R, Out>(
  from: StreamOrigin<K, L>,
  table: GlobalTableOrigin<GK, R>,
  { kind, joiner, options }: GlobalJoinDefinition<K, L, GK, R, Out>,
): StreamOrigin<K, Out> {
  const { dsl, key, repartitionRequired } = from;
  const name = dsl.names.orNext(options.name, 'KSTREAM-LEFTJOIN-');
  const keySelector = options.keySelector as (value: L, key: K) => GK | undefined;
  const supplier = streamGlobalJoinOperator({ kind, table: table.view, keySelector, joiner });
  const node = dsl.graph.create(
    [from.node],
    name,
    { kind: 'processor', supplier: () => supplier },
    { joinsNullKeys: kind === 'left' },
  );
  return deriveStream(from, { name, node, key, value: options.value, repartitionRequired });
}
