import { posix } from 'node:path';
import type { Workspace, WorkspacePackage } from '../workspace.ts';

interface ProjectFile {
  readonly references?: readonly { readonly path: string }[];
}

/** `tsc -b` at the root builds every project, and each project references what its package depends on. */
export function projectReferences(workspace: Workspace): string[] {
  const projects = workspace.packages.filter((one) => workspace.paths.has(`${one.folder}/tsconfig.json`));
  const known = referencesOf(workspace, '');
  return [
    ...projects.filter((one) => !known.has(one.folder)).map((one) => `tsconfig.json does not reference ${one.folder}`),
    ...projects.flatMap((one) => missingReferences(workspace, one)),
  ];
}

function missingReferences(workspace: Workspace, { folder, manifest }: WorkspacePackage): string[] {
  const known = referencesOf(workspace, folder);
  const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  return workspace.packages
    .filter((one) => dependencies.includes(one.manifest.name) && !known.has(one.folder))
    .map((one) => `${folder}/tsconfig.json does not reference ${one.folder}`);
}

function referencesOf(workspace: Workspace, folder: string): Set<string> {
  const text = workspace.readText(posix.join(folder, 'tsconfig.json'));
  const project = text === undefined ? {} : (JSON.parse(text) as ProjectFile);
  return new Set((project.references ?? []).map(({ path }) => posix.join(folder, path)));
}
