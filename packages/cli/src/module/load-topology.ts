import { extname, resolve } from 'node:path';
import type { Topology } from 'millrace';
import type { Host } from '../host/host.ts';
import { UsageError } from '../usage-error.ts';

/**
 * Loads a module and takes its topology: `buildTopology()`, or the default export, which is a topology or makes one.
 *
 * @throws UsageError when there is no such file, the file cannot be loaded as it is, or it has no topology
 * @throws whatever the module or its builder throws
 */
export async function loadTopology(module: string, host: Host): Promise<Topology> {
  const path = resolve(host.workingDirectory, module);
  if (!host.fileExists(path)) throw new UsageError(`there is no file ${path}`);
  const exports = await load(path, host);
  const source = exports.buildTopology ?? exports.default;
  const topology: unknown = typeof source === 'function' ? await (source as () => unknown)() : source;
  if (isTopology(topology)) return topology;
  throw new UsageError(
    `${path} has no topology: export a function buildTopology() that returns one (builder.build()), or make it the default export` +
      `; found ${describeExports(exports)}`,
  );
}

async function load(path: string, host: Host): Promise<Readonly<{ [name: string]: unknown }>> {
  try {
    return await host.importModule(path);
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    throw new UsageError(
      extname(path).endsWith('ts')
        ? `Node ${host.nodeVersion} cannot load TypeScript (${path}): use Node 22.18 or newer, compile the module first,` +
            ' or install tsx and set NODE_OPTIONS="--import tsx"'
        : `${path} is no JavaScript or TypeScript module: give a .js, .mjs or .ts file`,
    );
  }
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
