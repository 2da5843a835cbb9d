import type { Workspace } from '../workspace.ts';
import { resolveModule } from './module-resolution.ts';

/** No file imports itself by any way, neither values nor types. */
export function importCycles(workspace: Workspace): string[] {
  const graph = importGraph(workspace);
  const finished = new Set<string>();
  const cycles: string[] = [];
  for (const path of graph.keys()) findCycles(graph, path, [], finished, cycles);
  return cycles;
}

function importGraph(workspace: Workspace): Map<string, string[]> {
  const files = workspace.packages.flatMap((one) => one.files);
  return new Map(
    files.map((file) => {
      const targets = file.imports.map(({ specifier }) => resolveModule(workspace, file.path, specifier));
      return [file.path, targets.flatMap((target) => ('path' in target && target.path !== undefined ? [target.path] : []))];
    }),
  );
}

function findCycles(graph: Map<string, string[]>, path: string, trail: string[], finished: Set<string>, cycles: string[]): void {
  const start = trail.indexOf(path);
  if (start !== -1) {
    cycles.push([...trail.slice(start), path].join(' → '));
    return;
  }
  if (finished.has(path)) return;
  for (const next of graph.get(path) ?? []) findCycles(graph, next, [...trail, path], finished, cycles);
  finished.add(path);
}
