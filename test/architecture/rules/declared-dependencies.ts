import { isTestFile } from '../source-file.ts';
import type { Workspace, WorkspacePackage } from '../workspace.ts';
import { resolveModule } from './module-resolution.ts';

/** Every package that a file imports is declared: by its own package.json, or for tests as a development dependency. */
export function declaredDependencies(workspace: Workspace): string[] {
  const violations: string[] = [];
  for (const one of workspace.packages) {
    for (const file of one.files) {
      const declared = declaredFor(workspace, one, file.path);
      for (const { specifier, line } of file.imports) {
        const target = resolveModule(workspace, file.path, specifier);
        if (target.kind === 'relative' || target.kind === 'builtin') continue;
        const name = target.kind === 'workspace' ? target.owner.manifest.name : target.name;
        if (declared.has(name)) continue;
        violations.push(`${file.path}:${line} ${name} is not among the dependencies of ${one.folder}/package.json`);
      }
    }
  }
  return violations;
}

function declaredFor(workspace: Workspace, one: WorkspacePackage, path: string): Set<string> {
  const { dependencies, peerDependencies, devDependencies, private: isPrivate } = one.manifest;
  const names = new Set([...Object.keys(dependencies ?? {}), ...Object.keys(peerDependencies ?? {})]);
  if (isPrivate === true || isTestFile(path)) {
    for (const name of [...Object.keys(devDependencies ?? {}), ...workspace.rootDevDependencies]) names.add(name);
  }
  return names;
}
