import type { Node } from 'oxc-parser';
import { type SourceFile, walk } from '../source-file.ts';
import type { Workspace } from '../workspace.ts';

const marker = /\b(FIXME|TODO|XXX|HACK)\b/;
const runners = new Set(['it', 'test', 'describe', 'bench']);
const switches = new Set(['only', 'skip', 'todo']);

/** Nothing unfinished stays: no markers in comments, no test singled out or switched off. */
export function leftovers(workspace: Workspace): string[] {
  return workspace.packages
    .flatMap((one) => one.files)
    .flatMap((file) => [...markers(file), ...switchedTests(file), ...unparsed(file)]);
}

function markers(file: SourceFile): string[] {
  return file.comments
    .filter(({ value }) => marker.test(value))
    .map(({ value, line }) => `${file.path}:${line} ${marker.exec(value)?.[0]}`);
}

function switchedTests(file: SourceFile): string[] {
  const violations: string[] = [];
  walk(file.program, (node) => {
    const name = switchOf(node);
    if (name !== undefined) violations.push(`${file.path}:${file.lineAt(node.start)} ${name}`);
  });
  return violations;
}

function switchOf(node: Node): string | undefined {
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return undefined;
  if (node.object.type !== 'Identifier' || !runners.has(node.object.name)) return undefined;
  return switches.has(node.property.name) ? `${node.object.name}.${node.property.name}` : undefined;
}

function unparsed(file: SourceFile): string[] {
  return file.parseErrors.map((message) => `${file.path} does not parse: ${message}`);
}
