import type { Joiner } from '../operators/callbacks.ts';
import type { StreamJoinKind } from '../operators/stream-stream-join.ts';
import type { GlobalJoinOptions } from '../options/global-join-options.ts';
import type { StreamJoinOptions, TableJoinOptions } from '../options/operator-options.ts';
import type { GlobalTableOrigin, StreamOrigin, TableOrigin } from '../origin/origins.ts';
import { addStreamGlobalJoin } from './stream-global-join.ts';
import { addStreamStreamJoin } from './stream-stream-join.ts';
import { addStreamTableJoin } from './stream-table-join.ts';

/** A join with whatever stands on the right. Which sides can be absent is what the methods of the stream say in their types. */
export function addJoin<K, L, GK, R, Out>(
  kind: StreamJoinKind,
  left: StreamOrigin<K, L>,
  right: StreamOrigin<K, R> | TableOrigin<K, R> | GlobalTableOrigin<GK, R>,
  joiner: Joiner<K, never, never, unknown>,
  options: StreamJoinOptions<K, L, R, Out> | TableJoinOptions<K, L, Out> | GlobalJoinOptions<K, L, GK, Out>,
): StreamOrigin<K, Out> {
  const untyped = joiner as Joiner<K, L | undefined, R | undefined, Out>;
  const tableKind = kind === 'inner' ? 'inner' : 'left';
  if (right.kind === 'global-table') {
    const global = options as GlobalJoinOptions<K, L, GK, Out>;
    return addStreamGlobalJoin(left, right, { kind: tableKind, joiner: untyped, options: global });
  }
  if (right.kind === 'table') return addStreamTableJoin(left, right, { kind: tableKind, joiner: untyped, options });
  return addStreamStreamJoin(left, right, { kind, joiner: untyped, options: options as StreamJoinOptions<K, L, R, Out> });
}
