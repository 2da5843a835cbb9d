import type { Serde } from '@millrace/core';
import { joinStore, outerJoinStore } from '@millrace/state';
import type { GraphNode } from '../graph/graph-node.ts';
import { suffixedOr } from '../graph/names.ts';
import type { Joiner } from '../operators/callbacks.ts';
import { streamJoinWindowOperator } from '../operators/stream-join-window.ts';
import { streamSelfJoinOperator } from '../operators/stream-self-join.ts';
import { type StreamJoinKind, streamStreamJoinOperators } from '../operators/stream-stream-join.ts';
import type { StreamJoinOptions } from '../options/operator-options.ts';
import { copartition, deriveStream, erased, type StreamOrigin } from '../origin/origins.ts';
import { requireSerde } from '../origin/require-serde.ts';
import { JoinWindows } from '../windows/join-windows.ts';
import { repartitionForJoin } from './repartition.ts';

/** `join`, `leftJoin` or `outerJoin` of two streams, with sides that can be missing given as absent. */
export interface StreamJoinDefinition<K, L, R, Out> {
  readonly kind: StreamJoinKind;
  readonly joiner: Joiner<K, L | undefined, R | undefined, Out>;
  readonly options: StreamJoinOptions<K, L, R, Out>;
}

/** Names of the nodes and stores of one join. */
interface JoinNames {
  readonly leftWindowed: string;
  readonly rightWindowed: string;
  readonly left: string;
  readonly right: string;
  readonly merge: string;
  readonly leftStore: string;
  readonly rightStore: string;
  readonly outerStore: string | undefined;
}

/**
 * Adds a join of two streams, and the repartition topics that it needs.
 *
 * Source: Kafka Streams `KStreamImpl.doJoin`, `KStreamImplJoin`.
 */
export function addStreamStreamJoin<K, L, R, Out>(
  left: StreamOrigin<K, L>,
  right: StreamOrigin<K, R>,
  definition: StreamJoinDefinition<K, L, R, Out>,
): StreamOrigin<K, Out> {
  const { kind, options } = definition;
  const operator = operatorText(kind, options.name);
  const here = repartitionForJoin(left, {
    name: options.name === undefined ? undefined : suffixedOr(options.name, '-left', ''),
    key: options.key,
    value: options.left,
    operator,
    valueOption: 'left',
  });
  const there = repartitionForJoin(right, {
    name: options.name === undefined ? undefined : suffixedOr(options.name, '-right', ''),
    key: options.key,
    value: options.right,
    operator,
    valueOption: 'right',
  });
  const sources = copartition(erased(here), erased(there));
  const windows = windowsOf(options);
  const names = joinNames(left, kind, options);
  const node = addJoinNodes(here, there, names, windows, definition);
  return deriveStream(left, { name: node.name, node, key: options.key ?? here.key, value: options.value, sources });
}

function operatorText(kind: StreamJoinKind, name: string | undefined): string {
  const operator = kind === 'inner' ? 'join()' : `${kind}Join()`;
  return name === undefined ? operator : `${operator} ${name}`;
}

function windowsOf<K, L, R, Out>({ within, grace }: StreamJoinOptions<K, L, R, Out>): JoinWindows {
  const windows = within instanceof JoinWindows ? within : JoinWindows.ofTimeDifference(within);
  return grace === undefined ? windows : windows.grace(grace);
}

/** Takes five numbers. `OUTER` marks the side opposite to the one that is kept: a left join has an outer *other* side. */
function joinNames<K, L, R, Out>(
  { dsl: { names } }: StreamOrigin<K, L>,
  kind: StreamJoinKind,
  { name, storeName }: StreamJoinOptions<K, L, R, Out>,
): JoinNames {
  const leftWindowed = names.suffixedOrNext(name, '-this-windowed', 'KSTREAM-WINDOWED-');
  const rightWindowed = names.suffixedOrNext(name, '-other-windowed', 'KSTREAM-WINDOWED-');
  const thisMark = kind === 'outer' ? 'OUTERTHIS' : 'JOINTHIS';
  const generatedLeft = names.next(`KSTREAM-${thisMark}-`);
  const generatedRight = names.next(`KSTREAM-${kind === 'inner' ? 'JOINOTHER' : 'OUTEROTHER'}-`);
  const leftSuffix = kind === 'outer' ? '-outer-this-join' : '-this-join';
  const rightSuffix = kind === 'inner' ? '-other-join' : '-outer-other-join';
  const generatedOuter = generatedLeft.replace(thisMark, 'OUTERSHARED');
  const outer = suffixedOr(storeName, kind === 'outer' ? '-outer-shared-join' : '-left-shared-join', generatedOuter);
  return {
    leftWindowed,
    rightWindowed,
    left: suffixedOr(name, leftSuffix, generatedLeft),
    right: suffixedOr(name, rightSuffix, generatedRight),
    merge: names.suffixedOrNext(name, '-merge', 'KSTREAM-MERGE-'),
    leftStore: `${suffixedOr(storeName, leftSuffix, generatedLeft)}-store`,
    rightStore: `${suffixedOr(storeName, rightSuffix, generatedRight)}-store`,
    outerStore: kind === 'inner' ? undefined : `${outer}-store`,
  };
}

function addJoinNodes<K, L, R, Out>(
  left: StreamOrigin<K, L>,
  right: StreamOrigin<K, R>,
  names: JoinNames,
  windows: JoinWindows,
  { kind, joiner, options }: StreamJoinDefinition<K, L, R, Out>,
): GraphNode {
  const { dsl } = left;
  const operator = operatorText(kind, options.name);
  const key = requireSerde(dsl, 'key', options.key ?? left.key ?? right.key, operator);
  const leftSerde: Serde<L> = requireSerde(dsl, 'value', options.left ?? left.value, operator, 'left');
  const rightSerde: Serde<R> = requireSerde(dsl, 'value', options.right ?? right.value, operator, 'right');
  const { logging = true, inMemory = false } = options;
  const storeOptions = { logging, inMemory, retentionMs: Math.max(1, windows.retentionMs), spanMs: Math.max(1, windows.sizeMs) };
  const operators = streamStreamJoinOperators({
    kind,
    windows,
    joiner,
    leftStore: names.leftStore,
    rightStore: names.rightStore,
    outerStore: names.outerStore,
  });
  addWindowed(left, names.leftWindowed, names.leftStore);
  addWindowed(right, names.rightWindowed, names.rightStore);
  return dsl.graph.create(
    [left.node, right.node],
    names.merge,
    {
      kind: 'stream-join',
      left: {
        name: names.left,
        supplier: operators.left,
        windowed: names.leftWindowed,
        store: joinStore(names.leftStore, key, leftSerde, storeOptions),
      },
      right: {
        name: names.right,
        supplier: operators.right,
        windowed: names.rightWindowed,
        store: joinStore(names.rightStore, key, rightSerde, storeOptions),
      },
      outerStore:
        names.outerStore === undefined ? undefined : outerJoinStore(names.outerStore, key, leftSerde, rightSerde, storeOptions),
      // Used only when both sides are one stream.
      selfJoin: streamSelfJoinOperator({ windows, joiner: joiner as unknown as Joiner<K, L, L, Out>, store: names.leftStore }),
    },
    { joinsNullKeys: kind !== 'inner' },
  );
}

function addWindowed<K, V>({ dsl, node }: StreamOrigin<K, V>, name: string, store: string): void {
  dsl.graph.create([node], name, { kind: 'processor', supplier: () => streamJoinWindowOperator({ store }) });
}
