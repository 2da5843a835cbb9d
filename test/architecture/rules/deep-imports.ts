import { posix } from 'node:path';
import { isTestFile } from '../source-file.ts';
import type { Workspace, WorkspacePackage } from '../workspace.ts';
import { resolveModule } from './module-resolution.ts';

/** Across packages only declared `exports` are imported; inside a package files are, never its barrels. */
export function deepImports(workspace: Workspace): string[] {
  const violations: string[] = [];
  for (const one of workspace.packages) {
    for (const file of one.files) {
      for (const { specifier, line } of file.imports) {
        const problem = problemOf(workspace, one, file.path, specifier);
        if (problem !== undefined) violations.push(`${file.path}:${line} ${problem}`);
      }
    }
  }
  return violations;
}

function problemOf(workspace: Workspace, one: WorkspacePackage, importer: string, specifier: string): string | undefined {
  const target = resolveModule(workspace, importer, specifier);
  if (target.kind === 'workspace') {
    if (target.owner === one) return `imports its own package by name (${specifier}); import the file`;
    return target.path === undefined ? `${specifier} is not among the exports of ${target.owner.manifest.name}` : undefined;
  }
  if (target.kind !== 'relative') return undefined;
  if (!target.path.startsWith(`${one.folder}/`)) return `${specifier} leaves the package; import the package by name`;
  const isBarrel = posix.basename(target.path) === 'index.ts' && one.folder.startsWith('packages/');
  return isBarrel && !isTestFile(importer) ? `${specifier} is a barrel; import the file that declares the name` : undefined;
}
