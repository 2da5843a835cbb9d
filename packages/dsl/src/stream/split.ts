import { branchOperator } from '../operators/branch.ts';
import type { Predicate } from '../operators/callbacks.ts';
import { passThroughOperator } from '../operators/pass-through.ts';
import type { NamedOptions } from '../options/operator-options.ts';
import { deriveStream, type StreamOrigin } from '../origin/origins.ts';

/** One way that records of a `split` can go. */
export interface Branch<K, V> {
  readonly predicate: Predicate<K, V>;
  /** Appended to the name of the split; default: the number of the branch, from 1. */
  readonly name?: string;
}

export interface SplitDefinition<K, V> {
  readonly name: string | undefined;
  readonly branches: readonly Branch<K, V>[];
  /** Present when there is a branch for records that no predicate wants; its number is 0. */
  readonly rest: { readonly name: string | undefined } | undefined;
}

/**
 * Adds a split. Each branch takes a number of the counter, although it is named after the split.
 *
 * @returns the branches in their order, then that for the rest
 * Source: Kafka Streams `BranchedKStreamImpl`.
 */
export function addSplit<K, V>(from: StreamOrigin<K, V>, definition: SplitDefinition<K, V>): StreamOrigin<K, V>[] {
  const { dsl } = from;
  const { branches, rest } = definition;
  const name = dsl.names.orNext(definition.name, 'KSTREAM-BRANCH-');
  const operator = branchOperator({ predicates: branches.map(({ predicate }) => predicate), hasDefault: rest !== undefined });
  const node = dsl.graph.create([from.node], name, { kind: 'processor', supplier: () => operator });
  const suffixes = branches.map((branch, index) => branch.name ?? String(index + 1));
  if (rest !== undefined) suffixes.push(rest.name ?? '0');
  return suffixes.map((suffix) => {
    const branchName = name + suffix;
    dsl.names.next('KSTREAM-BRANCH-');
    const child = dsl.graph.create([node], branchName, { kind: 'processor', supplier: () => passThroughOperator() });
    const { key, value, repartitionRequired } = from;
    return deriveStream(from, { name: branchName, node: child, key, value, repartitionRequired });
  });
}

/** Branches by name, or as a list of which not all have names. */
export type Branches<K, V> = Readonly<{ [name: string]: Predicate<K, V> }> | readonly Branch<K, V>[];

export interface SplitOptions extends NamedOptions {
  /** There is a branch for the rest, of this name. */
  readonly default?: string | { readonly name?: string };
}

/** `split`: branches that were given by name come back by name, a list comes back as a list. */
export function addBranches<K, V, S>(
  from: StreamOrigin<K, V>,
  branches: Branches<K, V>,
  options: SplitOptions,
  create: (origin: StreamOrigin<K, V>) => S,
): { readonly [name: string]: S } | readonly S[] {
  const names = isList(branches) ? undefined : Object.keys(branches);
  const list = isList(branches) ? branches : Object.entries(branches).map(([name, predicate]) => ({ name, predicate }));
  const rest = typeof options.default === 'string' ? { name: options.default } : options.default;
  const streams = addSplit(from, {
    name: options.name,
    branches: list,
    rest: rest === undefined ? undefined : { name: rest.name },
  }).map(create);
  if (names === undefined) return streams;
  if (rest?.name !== undefined) names.push(rest.name);
  return Object.fromEntries(names.map((name, index) => [name, streams[index] as S]));
}

function isList<K, V>(branches: Branches<K, V>): branches is readonly Branch<K, V>[] {
  return Array.isArray(branches);
}
