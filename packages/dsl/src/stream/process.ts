import type { Serde } from '@millrace/core';
import type { StoreBuilder } from '@millrace/state';
import {
  assertFreshProcessors,
  assertName,
  type FixedKeyProcessorSupplier,
  fixedKeyNodeSupplier,
  type NodeProcessorSupplier,
  type ProcessorSupplier,
  processorNodeSupplier,
} from '@millrace/topology';
import type { GraphNode } from '../graph/graph-node.ts';
import type { ProcessOptions } from '../options/operator-options.ts';
import { deriveStream, type StreamOrigin } from '../origin/origins.ts';

/** `process`: any processor. It may change keys, so what follows by key is repartitioned. */
export function addProcess<K, V, KOut, VOut>(
  from: StreamOrigin<K, V>,
  supplier: ProcessorSupplier<K, V, KOut, VOut>,
  options: ProcessOptions<KOut, VOut>,
): StreamOrigin<KOut, VOut> {
  const name = processorName(from, options.name, 'KSTREAM-PROCESSOR-');
  assertFreshProcessors(supplier, name);
  const node = addNode(from, name, processorNodeSupplier(supplier), supplier.stores, options.stores);
  return deriveStream(from, { name, node, key: options.key, value: options.value, repartitionRequired: true });
}

/** `processValues`: a processor that keeps the keys. */
export function addProcessValues<K, V, VOut>(
  from: StreamOrigin<K, V>,
  supplier: FixedKeyProcessorSupplier<K, V, VOut>,
  options: ProcessOptions<K, VOut>,
): StreamOrigin<K, VOut> {
  const name = processorName(from, options.name, 'KSTREAM-PROCESSVALUES-');
  assertFreshProcessors(supplier, name);
  const node = addNode(from, name, fixedKeyNodeSupplier(supplier), supplier.stores, options.stores);
  const { repartitionRequired } = from;
  const key: Serde<K> | undefined = options.key ?? from.key;
  return deriveStream(from, { name, node, key, value: options.value, repartitionRequired });
}

/** Unlike all other operators, a processor that the user names takes no number. */
function processorName<K, V>({ dsl }: StreamOrigin<K, V>, name: string | undefined, prefix: string): string {
  if (name === undefined) return dsl.names.next(prefix);
  assertName(name, 'node');
  return name;
}

function addNode<K, V>(
  from: StreamOrigin<K, V>,
  name: string,
  supplier: NodeProcessorSupplier,
  brought: readonly StoreBuilder[] = [],
  connected: readonly string[] = [],
): GraphNode {
  return from.dsl.graph.create([from.node], name, {
    kind: 'processor',
    supplier: () => supplier,
    stores: () => brought,
    connect: () => connected,
  });
}
