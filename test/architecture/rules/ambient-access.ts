import type { Node } from 'oxc-parser';
import { type Ambient, type AmbientException, ambientExceptions } from '../exceptions.ts';
import { isTestFile, type SourceFile, walk } from '../source-file.ts';
import type { Workspace } from '../workspace.ts';

const bannedNames: Readonly<Record<string, Ambient>> = {
  setTimeout: 'timers',
  setInterval: 'timers',
  setImmediate: 'timers',
  queueMicrotask: 'timers',
  console: 'console',
};
const bannedMembers: Readonly<Record<string, Ambient>> = {
  'Date.now': 'clock',
  'performance.now': 'clock',
  'performance.timeOrigin': 'clock',
  'process.hrtime': 'clock',
  'process.nextTick': 'timers',
  'process.env': 'environment',
  'Math.random': 'random',
  'AbortSignal.timeout': 'timers',
  'crypto.randomUUID': 'random',
  'crypto.randomBytes': 'random',
  'crypto.randomInt': 'random',
  'crypto.getRandomValues': 'random',
};
const bannedModules: Readonly<Record<string, Ambient>> = {
  'node:timers': 'timers',
  'node:timers/promises': 'timers',
  'node:perf_hooks': 'clock',
  'node:console': 'console',
};
const bannedImports = /^(random(UUID|Bytes|Int|Fill|FillSync)|getRandomValues)$/;

/** Clock, timers, randomness, environment and console are reached through ports; only the declared adapters touch them. */
export function ambientAccess(workspace: Workspace, exceptions = ambientExceptions): string[] {
  const violations: string[] = [];
  for (const file of workspace.packages.flatMap((one) => one.files)) {
    if (isTestFile(file.path)) continue;
    const allowed = allowedFor(file.path, exceptions);
    walk(file.program, (node, parent) => {
      const [what, kind] = accessAt(node, parent) ?? [];
      if (kind === undefined || allowed.has(kind)) return;
      violations.push(`${where(file, node)} ${what} (${kind}) outside an adapter; take it through its port`);
    });
  }
  return violations;
}

function where(file: SourceFile, node: Node): string {
  return `${file.path}:${file.lineAt(node.start)}`;
}

function allowedFor(path: string, exceptions: readonly AmbientException[]): Set<Ambient> {
  return new Set(exceptions.filter((one) => patternOf(one.path).test(path)).flatMap((one) => one.allows));
}

function patternOf(path: string): RegExp {
  const source = path.replace(/[.]/g, '\\.').replaceAll('*', '[^/]+');
  return new RegExp(path.endsWith('/') ? `^${source}` : `^${source}$`);
}

function accessAt(node: Node, parent: Node | undefined): [what: string, kind: Ambient] | undefined {
  switch (node.type) {
    case 'Identifier':
      return isReference(node, parent) ? listed(bannedNames, node.name) : undefined;
    case 'MemberExpression':
      return memberAccess(node);
    case 'NewExpression':
      return isDate(node.callee) && node.arguments.length === 0 ? ['new Date()', 'clock'] : undefined;
    case 'CallExpression':
      return isDate(node.callee) ? ['Date()', 'clock'] : undefined;
    case 'ImportDeclaration':
      return listed(bannedModules, node.source.value) ?? randomImport(node);
    default:
      return undefined;
  }
}

function memberAccess(node: Node & { type: 'MemberExpression' }): [string, Ambient] | undefined {
  if (node.computed || node.property.type !== 'Identifier') return undefined;
  if (node.object.type === 'Identifier') {
    if (node.object.name === 'globalThis') return listed(bannedNames, node.property.name);
    return listed(bannedMembers, `${node.object.name}.${node.property.name}`);
  }
  const isGlobal =
    node.object.type === 'MemberExpression' &&
    node.object.object.type === 'Identifier' &&
    node.object.object.name === 'globalThis';
  if (!isGlobal || node.object.type !== 'MemberExpression' || node.object.property.type !== 'Identifier') return undefined;
  return listed(bannedMembers, `${node.object.property.name}.${node.property.name}`);
}

function randomImport(node: Node & { type: 'ImportDeclaration' }): [string, Ambient] | undefined {
  if (node.source.value !== 'node:crypto') return undefined;
  for (const one of node.specifiers) {
    if (one.type === 'ImportSpecifier' && one.imported.type === 'Identifier' && bannedImports.test(one.imported.name)) {
      return [one.imported.name, 'random'];
    }
  }
  return undefined;
}

/** A use of the name, not a property, a method or a key that happens to be called so. */
function isReference(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return true;
  if ('property' in parent && parent.property === node) return 'computed' in parent && parent.computed === true;
  if ('key' in parent && parent.key === node) return false;
  return !['ImportSpecifier', 'TSTypeQuery', 'TSTypeReference', 'TSQualifiedName'].includes(parent.type);
}

function isDate(callee: Node): boolean {
  return callee.type === 'Identifier' && callee.name === 'Date';
}

function listed(table: Readonly<Record<string, Ambient>>, name: string): [string, Ambient] | undefined {
  return Object.hasOwn(table, name) ? [name, table[name] as Ambient] : undefined;
}
