import type { Serde } from '@millrace/core';
import type { NodeProcessorSupplier } from '@millrace/topology';
import type { NodeTraits } from '../graph/graph-node.ts';
import { passThroughOperator } from '../operators/pass-through.ts';
import { deriveStream, type StreamOrigin } from '../origin/origins.ts';

/** An operator without state, below one stream. */
export interface StatelessOperation {
  /** The user's name. */
  readonly name: string | undefined;
  /** Of a generated name. */
  readonly prefix: string;
  readonly supplier: NodeProcessorSupplier;
  readonly traits?: NodeTraits;
}

/** Adds the operator. Its stream keeps keys and values as they are. */
export function addStateless<K, V>(from: StreamOrigin<K, V>, operation: StatelessOperation): StreamOrigin<K, V> {
  const { dsl } = from;
  const name = dsl.names.orNext(operation.name, operation.prefix);
  const node = dsl.graph.create([from.node], name, { kind: 'processor', supplier: () => operation.supplier }, operation.traits);
  const { key, value, repartitionRequired } = from;
  return deriveStream(from, { name, node, key, value, repartitionRequired });
}

/** Adds an operator that makes new values; the keys stay. */
export function addValueChange<K, V, R>(
  from: StreamOrigin<K, V>,
  operation: StatelessOperation,
  value: Serde<R> | undefined,
): StreamOrigin<K, R> {
  const { dsl, name, node, sources, key, repartitionRequired } = addStateless(from, {
    ...operation,
    traits: { valueChanging: true },
  });
  return deriveStream({ ...from, dsl }, { name, node, sources, key, value, repartitionRequired });
}

/** Adds an operator that makes new keys: what follows by key has to be repartitioned first. */
export function addKeyChange<K, V, K2, V2>(
  from: StreamOrigin<K, V>,
  operation: StatelessOperation,
  serdes: { readonly key: Serde<K2> | undefined; readonly value: Serde<V2> | undefined },
): StreamOrigin<K2, V2> {
  const { name, node } = addStateless(from, { ...operation, traits: { keyChanging: true } });
  return deriveStream(from, { name, node, ...serdes, repartitionRequired: true });
}

/** `merge`: both streams in one, in the order in which their records are processed. */
export function addMerge<K, V>(
  from: StreamOrigin<K, V>,
  other: StreamOrigin<K, V>,
  userName: string | undefined,
): StreamOrigin<K, V> {
  const { dsl } = from;
  const name = dsl.names.orNext(userName, 'KSTREAM-MERGE-');
  const node = dsl.graph.create(
    [from.node, other.node],
    name,
    { kind: 'processor', supplier: () => passThroughOperator() },
    { merges: true },
  );
  return deriveStream(from, {
    name,
    node,
    // Two serdes of one type may still write different bytes: only one and the same can be kept.
    key: from.key === other.key ? from.key : undefined,
    value: from.value === other.value ? from.value : undefined,
    sources: new Set([...from.sources, ...other.sources]),
    repartitionRequired: from.repartitionRequired || other.repartitionRequired,
  });
}
