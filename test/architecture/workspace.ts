import { parseSourceFile, type SourceFile } from './source-file.ts';

/** One entry of `exports` in a package.json. */
export interface ExportEntry {
  readonly '@millrace/source'?: string;
  readonly types?: string;
  readonly default?: string;
}

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly millrace?: { readonly rank?: number };
  readonly exports?: Readonly<Record<string, ExportEntry | string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A folder with a package.json, and the TypeScript below it. */
export interface WorkspacePackage {
  /** Folder from the root of the repository, such as `packages/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: readonly SourceFile[];
}

/** What the rules look at: a pure value, so that a rule's own test can make a small bad one. */
export interface Workspace {
  readonly paths: ReadonlySet<string>;
  readonly packages: readonly WorkspacePackage[];
  /** Development dependencies of the root, usable by every test. */
  readonly rootDevDependencies: ReadonlySet<string>;
  readText(path: string): string | undefined;
}

/**
 * Builds the workspace from its files.
 *
 * @param files text by path from the root, `/`-separated; package.json files tell the packages apart
 */
export function workspaceOf(files: ReadonlyMap<string, string>): Workspace {
  const folders = [...files.keys()].filter((path) =>
    /^(packages|examples)\/[^/]+\/package\.json$|^(bench|test)\/package\.json$/.test(path),
  );
  const root = files.get('package.json');
  return {
    paths: new Set(files.keys()),
    packages: folders.sort().map((path) => packageOf(path.slice(0, -'/package.json'.length), files)),
    rootDevDependencies: new Set(root === undefined ? [] : Object.keys((JSON.parse(root) as Manifest).devDependencies ?? {})),
    readText: (path) => files.get(path),
  };
}

/** Folders under `packages/` are published; examples, bench and tests are not. */
export function publishedPackages(workspace: Workspace): WorkspacePackage[] {
  return workspace.packages.filter((one) => one.folder.startsWith('packages/'));
}

function packageOf(folder: string, files: ReadonlyMap<string, string>): WorkspacePackage {
  const sources = [...files].filter(([path]) => path.startsWith(`${folder}/`) && /(?<!\.d)\.ts$/.test(path));
  return {
    folder,
    manifest: JSON.parse(files.get(`${folder}/package.json`) as string) as Manifest,
    files: sources.map(([path, text]) => parseSourceFile(path, text)),
  };
}
