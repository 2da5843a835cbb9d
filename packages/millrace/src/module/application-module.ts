import { type Logger, TopologyError } from '@millrace/core';
import type { Topology } from '@millrace/topology';
import type { StartOptions } from '../start.ts';

/** What a module may bring along for its topology that is not plain data. */
export type ModuleComponents = Pick<
  StartOptions,
  'engine' | 'onDeserializationError' | 'onProcessingError' | 'onProductionError' | 'onUncaughtError'
>;

/** The components, or what makes them when it knows the logger. */
export type ModuleComponentsExport =
  | ModuleComponents
  | ((context: { readonly logger: Logger }) => ModuleComponents | Promise<ModuleComponents>);

/** What a module can export. */
type Exports = Readonly<{ [name: string]: unknown }>;

/**
 * Takes the topology out of what a module exports: `buildTopology()`, or the default export, which is a topology or makes one.
 *
 * @param module its name, for messages
 * @throws TopologyError `NO_TOPOLOGY`; whatever the module's builder throws
 */
export async function topologyOf(exports: Exports, module: string): Promise<Topology> {
  const source = exports.buildTopology ?? exports.default;
  const topology: unknown = typeof source === 'function' ? await (source as () => unknown)() : source;
  if (isTopology(topology)) return topology;
  throw new TopologyError(
    'NO_TOPOLOGY',
    `${module} has no topology: export a function buildTopology() that returns one (builder.build()), or make it the default export` +
      `; found ${describeExports(exports)}`,
  );
}

/**
 * Takes what a module exports as `components`: an object, or a function that makes one. Nothing is exported: `{}`.
 *
 * @throws whatever the function throws
 */
export async function componentsOf({ components }: Exports, logger: Logger): Promise<ModuleComponents> {
  const given = components as ModuleComponentsExport | undefined;
  return (typeof given === 'function' ? await given({ logger }) : given) ?? {};
}

/** Looks at the shape: the module may have its own copy of the package, with its own class. */
function isTopology(value: unknown): value is Topology {
  if (typeof value !== 'object' || value === null) return false;
  const { plan, describe } = value as Partial<Topology>;
  return typeof plan === 'function' && typeof describe === 'function';
}

function describeExports(exports: object): string {
  const names = Object.keys(exports);
  return names.length === 0 ? 'no exports' : `the exports ${names.join(', ')}`;
}
