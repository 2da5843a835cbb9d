import { TopologyError } from '@millrace/core';
import { sessionStore, timestampedWindowStore, type WindowedKey, type WindowStoreOptions } from '@millrace/state';
import { sessionWindowAggregateOperator } from '../operators/session-window-aggregate.ts';
import { slidingWindowAggregateOperator } from '../operators/sliding-window-aggregate.ts';
import { sessionStoreView, windowStoreView } from '../operators/table-view.ts';
import { timeWindowAggregateOperator } from '../operators/time-window-aggregate.ts';
import type { Materialized } from '../options/materialized.ts';
import type { AlignedWindows } from '../windows/aligned-windows.ts';
import type { SessionWindows } from '../windows/session-windows.ts';
import { SlidingWindows } from '../windows/sliding-windows.ts';
import type { TimeWindows } from '../windows/time-windows.ts';
import type { UnlimitedWindows } from '../windows/unlimited-windows.ts';
import type { Emit } from '../windows/windowed-options.ts';
import { sessionWindowedSerde, timeWindowedSerde } from '../windows/windowed-serde.ts';
import type { AggregationShape, ResolvedAggregation } from './aggregation-shape.ts';

/** Windows that are a fixed length of time: their rows are found by key and window start. */
export type FixedWindows = TimeWindows | UnlimitedWindows | SlidingWindows;

type WindowedShape<K, A> = AggregationShape<K, WindowedKey<K>, A>;

/** Per key and window of a fixed length. Source: Kafka Streams `TimeWindowedKStreamImpl`, `SlidingWindowedKStreamImpl`. */
export function fixedWindowShape<K, A>(
  resolved: ResolvedAggregation<K, A>,
  windows: FixedWindows,
  emit: Emit,
): WindowedShape<K, A> {
  refuseVersioned(resolved);
  return windows instanceof SlidingWindows ? slidingShape(resolved, windows, emit) : alignedShape(resolved, windows, emit);
}

function alignedShape<K, A>(
  resolved: ResolvedAggregation<K, A>,
  windows: AlignedWindows & { readonly retentionMs: number },
  emit: Emit,
): WindowedShape<K, A> {
  const { storeName } = resolved.materialized;
  const shape = windowShape(resolved, windows.sizeMs, windows.graceMs, {
    windowSizeMs: Math.min(windows.sizeMs, Number.MAX_SAFE_INTEGER),
    retentionMs: retentionOf(resolved.materialized, windows.retentionMs),
    ...(emit === 'on-window-close' && { closesAfterMs: windows.sizeMs, caching: false }),
  });
  return {
    ...shape,
    supplier: (aggregation, sendOldValues) =>
      timeWindowAggregateOperator({ store: storeName, windows, emit, ...aggregation, sendOldValues }),
  };
}

function slidingShape<K, A>(resolved: ResolvedAggregation<K, A>, windows: SlidingWindows, emit: Emit): WindowedShape<K, A> {
  const { storeName } = resolved.materialized;
  const { timeDifferenceMs } = windows;
  const shape = windowShape(resolved, timeDifferenceMs, windows.graceMs, {
    // A time difference of 0 is an error at run time, as in Kafka Streams.
    windowSizeMs: Math.max(1, timeDifferenceMs),
    retentionMs: Math.max(1, retentionOf(resolved.materialized, windows.retentionMs)),
    startIndexSpanMs: timeDifferenceMs + 1,
    // The end is inclusive: a window can still change at that very time.
    ...(emit === 'on-window-close' && { closesAfterMs: timeDifferenceMs + 1, caching: false }),
  });
  return {
    ...shape,
    supplier: (aggregation, sendOldValues) =>
      slidingWindowAggregateOperator({ store: storeName, windows, emit, ...aggregation, sendOldValues }),
  };
}

function windowShape<K, A>(
  { key, value, materialized }: ResolvedAggregation<K, A>,
  sizeMs: number,
  windowGraceMs: number,
  options: WindowStoreOptions,
): Omit<WindowedShape<K, A>, 'supplier'> {
  const { storeName, builder, storeOptions } = materialized;
  return {
    store: builder ?? timestampedWindowStore(storeName, key, value, { ...storeOptions, ...options }),
    view: windowStoreView(storeName),
    key: timeWindowedSerde(key, sizeMs),
    value,
    windowGraceMs,
  };
}

/** Per key and session. Source: Kafka Streams `SessionWindowedKStreamImpl`. */
export function sessionShape<K, A>(
  { operator, key, value, materialized }: ResolvedAggregation<K, A>,
  windows: SessionWindows,
  emit: Emit,
): WindowedShape<K, A> {
  refuseVersioned({ operator, materialized });
  const { storeName, builder, storeOptions } = materialized;
  const emitsClosed = emit === 'on-window-close';
  // A session that ends exactly gap + grace ago is accepted, and no longer readable: a result that is still to come needs it.
  const neededMs = windows.retentionMs + 1;
  const retentionMs = Math.max(emitsClosed ? neededMs : 1, retentionOf(materialized, windows.retentionMs));
  const options = { ...storeOptions, gapMs: windows.gapMs, retentionMs, ...(emitsClosed && { emitsClosed, caching: false }) };
  return {
    store: builder ?? sessionStore(storeName, key, value, options),
    view: sessionStoreView(storeName),
    key: sessionWindowedSerde(key),
    value,
    windowGraceMs: windows.gapMs + windows.graceMs,
    supplier: (aggregation, sendOldValues) =>
      sessionWindowAggregateOperator({ store: storeName, windows, emit, ...aggregation, sendOldValues }),
  };
}

/** Versions are of rows by key; Kafka Streams' types do not let a versioned store be given to windows either. */
function refuseVersioned<K, A>({ operator, materialized }: Pick<ResolvedAggregation<K, A>, 'operator' | 'materialized'>): void {
  if (materialized.historyRetentionMs === undefined) return;
  throw new TopologyError(
    'WINDOWED_VERSIONED',
    `${operator} is windowed, and windows cannot be kept in a versioned store; use \`retention\` to keep them for longer, or aggregate without windows`,
    { store: materialized.storeName },
  );
}

/** A store that forgot windows which may still change would begin them anew. */
function retentionOf<K, A>({ storeName, retentionMs }: Materialized<K, A>, neededMs: number): number {
  if (retentionMs === undefined) return neededMs;
  if (retentionMs >= neededMs) return retentionMs;
  throw new TopologyError(
    'RETENTION_TOO_SHORT',
    `store ${storeName} keeps windows for ${retentionMs} ms, but operators look at them for ${neededMs} ms (length plus grace, for sliding windows twice the length plus grace); raise \`retention\``,
    { store: storeName },
  );
}
