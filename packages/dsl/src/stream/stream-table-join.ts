import type { Joiner } from '../operators/callbacks.ts';
import { streamTableJoinOperator } from '../operators/stream-table-join.ts';
import type { TableJoinOptions } from '../options/operator-options.ts';
import { copartition, deriveStream, erased, type StreamOrigin, type TableOrigin } from '../origin/origins.ts';
import { repartitionForJoin } from './repartition.ts';

export interface TableJoinDefinition<K, L, R, Out> {
  readonly kind: 'inner' | 'left';
  readonly joiner: Joiner<K, L, R | undefined, Out>;
  readonly options: TableJoinOptions<K, L, Out>;
}

/**
 * Adds a join of a stream with a table, and the repartition topic that the stream needs.
 *
 * Source: Kafka Streams `KStreamImpl.doStreamTableJoin`.
 */
export function addStreamTableJoin<K, L, R, Out>(
  left: StreamOrigin<K, L>,
  table: TableOrigin<K, R>,
  { kind, joiner, options }: TableJoinDefinition<K, L, R, Out>,
): StreamOrigin<K, Out> {
  const operator = kind === 'inner' ? 'join()' : 'leftJoin()';
  const from = repartitionForJoin(left, {
    name: options.name,
    key: options.key,
    value: options.left,
    operator: options.name === undefined ? operator : `${operator} ${options.name}`,
    valueOption: 'left',
  });
  const { dsl } = from;
  const sources = copartition(erased(from), erased(table));
  const name = dsl.names.orNext(options.name, kind === 'inner' ? 'KSTREAM-JOIN-' : 'KSTREAM-LEFTJOIN-');
  const view = table.changes.view();
  const node = dsl.graph.create(
    [from.node],
    name,
    {
      kind: 'processor',
      supplier: () => streamTableJoinOperator({ kind, table: view, joiner }),
      connect: () => view.stores,
    },
    { joinsNullKeys: kind === 'left' },
  );
  return deriveStream(from, { name, node, key: options.key ?? from.key, value: options.value, sources });
}
