import type { WindowedKey } from '@millrace/state';
import type { TableOrigin } from '../origin/origins.ts';
import type { SessionWindows } from '../windows/session-windows.ts';
import type { Emit } from '../windows/windowed-options.ts';
import { addAggregation } from './add-aggregation.ts';
import { type AggregationCall, resolveAggregation } from './aggregate.ts';
import type { AggregationShape } from './aggregation-shape.ts';
import type { GroupedOrigin } from './grouped-origin.ts';
import { type FixedWindows, fixedWindowShape, sessionShape } from './windowed-shapes.ts';

/** Aggregates per key and window of a fixed length. */
export function aggregateByFixedWindow<K, V, A>(
  grouped: GroupedOrigin<K, V>,
  windows: FixedWindows,
  emit: Emit,
  call: AggregationCall<K, V, A>,
): TableOrigin<WindowedKey<K>, A> {
  const resolved = resolveAggregation(grouped, call);
  return addShaped(grouped, resolved, call, fixedWindowShape(resolved, windows, emit));
}

/** Aggregates per key and session. */
export function aggregateBySession<K, V, A>(
  grouped: GroupedOrigin<K, V>,
  windows: SessionWindows,
  emit: Emit,
  call: AggregationCall<K, V, A>,
): TableOrigin<WindowedKey<K>, A> {
  const resolved = resolveAggregation(grouped, call);
  return addShaped(grouped, resolved, call, sessionShape(resolved, windows, emit));
}

function addShaped<K, V, KR, A>(
  grouped: GroupedOrigin<K, V>,
  { operator, name, materialized }: ReturnType<typeof resolveAggregation<K, V, A>>,
  { aggregation }: AggregationCall<K, V, A>,
  { store, view, key, value, windowGraceMs, supplier }: AggregationShape<K, KR, A>,
): TableOrigin<KR, A> {
  return addAggregation<K, V, KR, A>(grouped, {
    operator,
    name,
    materialized,
    store,
    supplier: (sendOldValues) => supplier(aggregation, sendOldValues),
    view,
    key,
    value,
    windowGraceMs,
  });
}
