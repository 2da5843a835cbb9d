import { posix } from 'node:path';
import { publishedPackages, type Workspace, type WorkspacePackage } from '../workspace.ts';

/** Every published package has a README, a rank, and `exports` with types that point at existing sources. */
export function packageShape(workspace: Workspace): string[] {
  return publishedPackages(workspace).flatMap((one) => [
    ...missingParts(workspace, one).map((what) => `${one.folder} has no ${what}`),
    ...brokenExports(workspace, one).map((what) => `${one.folder}/package.json: ${what}`),
  ]);
}

function missingParts(workspace: Workspace, { folder, manifest }: WorkspacePackage): string[] {
  const parts: readonly (readonly [string, boolean])[] = [
    ['README.md', workspace.paths.has(`${folder}/README.md`)],
    ['tsconfig.json', workspace.paths.has(`${folder}/tsconfig.json`)],
    ['millrace.rank in package.json', Number.isInteger(manifest.millrace?.rank)],
    ['description in package.json', Boolean(manifest.description)],
    ['license in package.json', manifest.license === 'Apache-2.0'],
    ['engines.node in package.json', manifest.engines?.node === '>=20.19'],
    ['"type": "module" in package.json', manifest.type === 'module'],
    ['files in package.json', manifest.files !== undefined],
    ['exports["."] in package.json', manifest.exports?.['.'] !== undefined],
  ];
  return parts.filter(([, isThere]) => !isThere).map(([name]) => name);
}

function brokenExports(workspace: Workspace, { folder, manifest }: WorkspacePackage): string[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, entry]) => {
    if (typeof entry === 'string') return subpath === './package.json' ? [] : [`exports["${subpath}"] has no types`];
    if (entry.types === undefined || entry.default === undefined) return [`exports["${subpath}"] lacks types or default`];
    const source = posix.join(folder, entry['@millrace/source'] ?? '');
    return workspace.paths.has(source) ? [] : [`exports["${subpath}"] names ${source}, which does not exist`];
  });
}
