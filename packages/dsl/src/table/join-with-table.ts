import type { Joiner } from '../operators/callbacks.ts';
import type { TableJoinKind } from '../operators/table-join.ts';
import type { TableOrigin } from '../origin/origins.ts';
import { addForeignKeyJoin, type ForeignKeyJoinOptions } from './foreign-key-join.ts';
import { addTableJoin, type JoinTablesOptions } from './join-tables.ts';

/** A join of tables by their key or by a foreign one. Which sides can be absent is what the methods of the table say in their types. */
export function joinWithTable<K, L, K2, R, Out>(
  kind: TableJoinKind,
  left: TableOrigin<K, L>,
  right: TableOrigin<K2, R>,
  joiner: Joiner<K, never, never, unknown>,
  options: JoinTablesOptions<K, Out> | ForeignKeyJoinOptions<K, L, K2, Out>,
): TableOrigin<K, Out> {
  if ('foreignKey' in options) {
    const foreign = joiner as Joiner<K, L, R | undefined, Out>;
    return addForeignKeyJoin(left, right, { kind: kind === 'inner' ? 'inner' : 'left', joiner: foreign, options });
  }
  const untyped = joiner as Joiner<K, L | undefined, R | undefined, Out>;
  return addTableJoin(left, right as unknown as TableOrigin<K, R>, { kind, joiner: untyped, options });
}
