import { walk } from '../source-file.ts';
import type { Workspace } from '../workspace.ts';

/** Barrels name what they export: `export *` makes the public surface grow unseen. */
export function exportAll(workspace: Workspace): string[] {
  const violations: string[] = [];
  for (const file of workspace.packages.flatMap((one) => one.files)) {
    walk(file.program, (node) => {
      if (node.type === 'ExportAllDeclaration') violations.push(`${file.path}:${file.lineAt(node.start)} export *`);
    });
  }
  return violations;
}
