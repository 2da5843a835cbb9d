import { type Duration, TopologyError } from '@millrace/core';
import { recordBuffer } from '@millrace/state';
import type { ProcessorContent } from '../graph/graph-node.ts';
import type { Joiner } from '../operators/callbacks.ts';
import type { RowJoinerOptions } from '../operators/row-joiner.ts';
import { streamTableGraceJoinOperator } from '../operators/stream-table-grace-join.ts';
import { streamTableJoinOperator } from '../operators/stream-table-join.ts';
import type { TableJoinOptions } from '../options/operator-options.ts';
import { copartition, deriveStream, erased, type StreamOrigin, type TableOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { windowDurationMs } from '../windows/window-duration.ts';
import { repartitionForJoin } from './repartition.ts';

export interface TableJoinDefinition<K, L, R, Out> {
  readonly kind: 'inner' | 'left';
  readonly joiner: Joiner<K, L, R | undefined, Out>;
  readonly options: TableJoinOptions<K, L, Out>;
}

/**
 * Adds a join of a stream with a table, and the repartition topic that the stream needs.
 *
 * @throws TopologyError `TABLE_NOT_VERSIONED`, `HISTORY_TOO_SHORT` when the table does not know what a grace asks for
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
  const join = { kind, table: table.changes.view(), joiner };
  const content = options.grace === undefined ? plainJoin(join) : graceJoin(from, join, name, operator, options);
  const node = dsl.graph.create([from.node], name, content, { joinsNullKeys: kind === 'left' });
  return deriveStream(from, { name, node, key: options.key ?? from.key, value: options.value, sources });
}

function plainJoin<K, L, R, Out>(join: RowJoinerOptions<K, L, R, Out>): ProcessorContent {
  return { kind: 'processor', supplier: () => streamTableJoinOperator(join), connect: () => join.table.stores };
}

/** With a buffer in which the records wait. */
function graceJoin<K, L, R, Out>(
  { dsl, key, value }: StreamOrigin<K, L>,
  join: RowJoinerOptions<K, L, R, Out>,
  name: string,
  operator: string,
  options: TableJoinOptions<K, L, Out>,
): ProcessorContent {
  const graceMs = windowDurationMs(options.grace as Duration, `grace of ${operator}`);
  assertHistory(join.table.historyRetentionMs, graceMs, operator);
  const buffer = `${name}-Buffer`;
  const keySerde = requireSerde(dsl, 'key', options.key ?? key, operator);
  const valueSerde = requireSerde(dsl, 'value', options.left ?? value, operator, 'left');
  return {
    kind: 'processor',
    supplier: () => streamTableGraceJoinOperator({ ...join, buffer }),
    stores: () => [recordBuffer(buffer, keySerde, valueSerde, { graceMs })],
    connect: () => join.table.stores,
  };
}

function assertHistory(historyRetentionMs: number | undefined, graceMs: number, operator: string): void {
  if (historyRetentionMs === undefined) {
    throw new TopologyError(
      'TABLE_NOT_VERSIONED',
      `${operator} has a grace, but its table does not know its past; give the table the options \`versioned\` and \`store\``,
    );
  }
  if (historyRetentionMs >= graceMs) return;
  throw new TopologyError(
    'HISTORY_TOO_SHORT',
    `${operator} has a grace of ${graceMs} ms, but its table knows only ${historyRetentionMs} ms of its past; raise its option \`versioned\``,
  );
}
