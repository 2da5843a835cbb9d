import { TopologyError } from '@millrace/core';
import { sessionStore, timestampedWindowStore, type WindowedKey } from '@millrace/state';
import { sessionWindowAggregateOperator } from '../operators/session-window-aggregate.ts';
import { sessionStoreView, windowStoreView } from '../operators/table-view.ts';
import { timeWindowAggregateOperator } from '../operators/time-window-aggregate.ts';
import type { Materialized } from '../options/materialized.ts';
import type { TableOrigin } from '../origin/origins.ts';
import type { SessionWindows } from '../windows/session-windows.ts';
import type { TimeWindows } from '../windows/time-windows.ts';
import { sessionWindowedSerde, timeWindowedSerde } from '../windows/windowed-serde.ts';
import { addAggregation } from './add-aggregation.ts';
import { type AggregationCall, resolveAggregation } from './aggregate.ts';
import type { GroupedOrigin } from './grouped-origin.ts';

/** Aggregates per key and time window. Source: Kafka Streams `TimeWindowedKStreamImpl`. */
export function aggregateByTimeWindow<K, V, A>(
  grouped: GroupedOrigin<K, V>,
  windows: TimeWindows,
  call: AggregationCall<K, V, A>,
): TableOrigin<WindowedKey<K>, A> {
  const { operator, name, materialized, key, value } = resolveAggregation(grouped, call);
  const { storeName, builder, storeOptions } = materialized;
  const retentionMs = retentionOf(materialized, windows.retentionMs);
  return addAggregation<K, V, WindowedKey<K>, A>(grouped, {
    operator,
    name,
    materialized,
    store:
      builder ?? timestampedWindowStore(storeName, key, value, { ...storeOptions, windowSizeMs: windows.sizeMs, retentionMs }),
    supplier: (sendOldValues) => timeWindowAggregateOperator({ store: storeName, windows, ...call.aggregation, sendOldValues }),
    view: windowStoreView(storeName),
    key: timeWindowedSerde(key, windows.sizeMs),
    value,
  });
}

/** Aggregates per key and session. Source: Kafka Streams `SessionWindowedKStreamImpl`. */
export function aggregateBySession<K, V, A>(
  grouped: GroupedOrigin<K, V>,
  windows: SessionWindows,
  call: AggregationCall<K, V, A>,
): TableOrigin<WindowedKey<K>, A> {
  const { operator, name, materialized, key, value } = resolveAggregation(grouped, call);
  const { storeName, builder, storeOptions } = materialized;
  const retentionMs = Math.max(1, retentionOf(materialized, windows.retentionMs));
  return addAggregation<K, V, WindowedKey<K>, A>(grouped, {
    operator,
    name,
    materialized,
    store: builder ?? sessionStore(storeName, key, value, { ...storeOptions, gapMs: windows.gapMs, retentionMs }),
    supplier: (sendOldValues) =>
      sessionWindowAggregateOperator({ store: storeName, windows, ...call.aggregation, sendOldValues }),
    view: sessionStoreView(storeName),
    key: sessionWindowedSerde(key),
    value,
  });
}

/** A store that forgot windows which may still change would begin them anew. */
function retentionOf<K, A>({ storeName, retentionMs }: Materialized<K, A>, neededMs: number): number {
  if (retentionMs === undefined) return neededMs;
  if (retentionMs >= neededMs) return retentionMs;
  throw new TopologyError(
    'RETENTION_TOO_SHORT',
    `store ${storeName} keeps windows for ${retentionMs} ms, but they can change for ${neededMs} ms (length plus grace); raise \`retention\``,
    { store: storeName },
  );
}
