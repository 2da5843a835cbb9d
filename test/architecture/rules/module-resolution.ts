import { posix } from 'node:path';
import type { Workspace, WorkspacePackage } from '../workspace.ts';

/** Where an import leads: inside the repository, to a third party, or to Node itself. */
export type Target =
  | { readonly kind: 'relative'; readonly path: string }
  | { readonly kind: 'workspace'; readonly owner: WorkspacePackage; readonly subpath: string; readonly path: string | undefined }
  | { readonly kind: 'third-party'; readonly name: string }
  | { readonly kind: 'builtin' };

/** Resolves `specifier` as written in the file at `importer`. */
export function resolveModule(workspace: Workspace, importer: string, specifier: string): Target {
  if (specifier.startsWith('.')) return { kind: 'relative', path: posix.join(posix.dirname(importer), specifier) };
  if (specifier.startsWith('node:')) return { kind: 'builtin' };
  const name = packageNameOf(specifier);
  const owner = workspace.packages.find((one) => one.manifest.name === name);
  if (owner === undefined) return { kind: 'third-party', name };
  const subpath = `.${specifier.slice(name.length)}`;
  return { kind: 'workspace', owner, subpath, path: sourceOf(owner, subpath) };
}

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function sourceOf(owner: WorkspacePackage, subpath: string): string | undefined {
  const entry = owner.manifest.exports?.[subpath];
  const source = typeof entry === 'string' ? entry : entry?.['@millrace/source'];
  return source === undefined ? undefined : posix.join(owner.folder, source);
}
