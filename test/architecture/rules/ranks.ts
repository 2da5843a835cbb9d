import type { Workspace } from '../workspace.ts';
import { resolveModule } from './module-resolution.ts';

/** A package imports only packages of lower rank (`millrace.rank` in package.json), tests included. */
export function ranks(workspace: Workspace): string[] {
  const violations: string[] = [];
  for (const { manifest, files } of workspace.packages) {
    for (const file of files) {
      for (const { specifier, line } of file.imports) {
        const target = resolveModule(workspace, file.path, specifier);
        if (target.kind !== 'workspace') continue;
        const [mine, theirs] = [rankOf(manifest.millrace), rankOf(target.owner.manifest.millrace)];
        if (mine > theirs) continue;
        violations.push(`${file.path}:${line} ${manifest.name} (rank ${mine}) imports ${specifier} (rank ${theirs})`);
      }
    }
  }
  return violations;
}

/** What has no rank, such as an example, stands above all packages. */
function rankOf(settings: { readonly rank?: number } | undefined): number {
  return settings?.rank ?? 100;
}
