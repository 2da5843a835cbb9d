import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Workspace, workspaceOf } from './workspace.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = ['packages', 'examples', 'bench', 'test'];
const rootFiles = ['package.json', 'tsconfig.json'];
const interesting = /\.ts$|(^|\/)(package|tsconfig)\.json$|(^|\/)README\.md$/;
const skipped = new Set(['node_modules', 'dist', 'target', 'coverage']);

/** Reads this repository from disk. */
export function loadWorkspace(): Workspace {
  const files = new Map(rootFiles.map((path) => [path, readFileSync(root + path, 'utf8')]));
  for (const folder of folders.filter((one) => existsSync(root + one))) collect(folder, files);
  return workspaceOf(files);
}

function collect(folder: string, files: Map<string, string>): void {
  for (const entry of readdirSync(root + folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name) && !entry.name.startsWith('.')) collect(path, files);
    } else if (interesting.test(path)) {
      files.set(path, readFileSync(root + path, 'utf8'));
    }
  }
}
