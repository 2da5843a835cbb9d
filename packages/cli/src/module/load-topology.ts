import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Topology, topologyOf } from 'millrace';
import type { Host } from '../host/host.ts';
import { UsageError } from '../usage-error.ts';

/** A module that was loaded, and its topology. */
export interface LoadedModule {
  readonly url: URL;
  readonly exports: Readonly<{ [name: string]: unknown }>;
  readonly topology: Topology;
}

/**
 * Loads a module and takes its topology: `buildTopology()`, or the default export, which is a topology or makes one.
 *
 * @throws UsageError when there is no such file, the file cannot be loaded as it is, or it has no topology
 * @throws whatever the module or its builder throws
 */
export async function loadTopology(module: string, host: Host): Promise<Topology> {
  return (await loadModule(module, host)).topology;
}

/** As `loadTopology`, with all that the module exports. */
export async function loadModule(module: string, host: Host): Promise<LoadedModule> {
  const path = resolve(host.workingDirectory, module);
  if (!host.fileExists(path)) throw new UsageError(`there is no file ${path}`);
  const exports = await load(path, host);
  try {
    return { url: pathToFileURL(path), exports, topology: await topologyOf(exports, path) };
  } catch (error) {
    if ((error as { code?: unknown }).code === 'NO_TOPOLOGY') throw new UsageError((error as Error).message);
    throw error;
  }
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
