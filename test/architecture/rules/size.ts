import type { Node } from 'oxc-parser';
import { longFiles, longFunctions } from '../exceptions.ts';
import { isTestFile, type SourceFile, walk } from '../source-file.ts';
import { publishedPackages, type Workspace } from '../workspace.ts';
import { ratchet } from './ratchet.ts';

const functionLinesMax = 70;
const fileLinesMax = 400;

/** No function over 70 lines. The function given to `describe` is a list of tests and not counted. */
export function functionLength(workspace: Workspace, recorded = longFunctions): string[] {
  const sizes = new Map<string, number>();
  for (const file of workspace.packages.flatMap((one) => one.files)) {
    walk(file.program, (node, parent) => {
      if (!isFunction(node) || isSuite(parent)) return;
      const lines = file.lineAt(node.end) - file.lineAt(node.start) + 1;
      if (lines > functionLinesMax) sizes.set(`${file.path}#${nameOf(node, parent, file)}`, lines);
    });
  }
  return ratchet(sizes, functionLinesMax, recorded);
}

/** No source file of a package over 400 lines. */
export function fileLength(workspace: Workspace, recorded = longFiles): string[] {
  const files = publishedPackages(workspace).flatMap((one) => one.files);
  const sizes = new Map(files.filter((file) => !isTestFile(file.path)).map((file) => [file.path, file.lineCount]));
  return ratchet(sizes, fileLinesMax, recorded);
}

function isFunction(node: Node): boolean {
  return node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';
}

function isSuite(parent: Node | undefined): boolean {
  if (parent?.type !== 'CallExpression') return false;
  let callee: Node = parent.callee;
  while (callee.type === 'MemberExpression' || callee.type === 'CallExpression') {
    callee = callee.type === 'MemberExpression' ? callee.object : callee.callee;
  }
  return callee.type === 'Identifier' && callee.name.startsWith('describe');
}

function nameOf(node: Node, parent: Node | undefined, file: SourceFile): string {
  for (const candidate of [node, parent]) {
    for (const part of ['id', 'key', 'left'] as const) {
      const name =
        candidate === undefined ? undefined : (candidate as unknown as Record<string, { name?: string } | null>)[part]?.name;
      if (name !== undefined) return name;
    }
  }
  return `line ${file.lineAt(node.start)}`;
}
