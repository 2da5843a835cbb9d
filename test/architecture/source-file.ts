import { type Node, parseSync } from 'oxc-parser';

/** One import, re-export or dynamic import of a file, be it of values or of types only. */
export interface ImportedModule {
  readonly specifier: string;
  readonly line: number;
}

/** A parsed TypeScript file of the workspace. */
export interface SourceFile {
  /** Path from the root of the repository, with `/`. */
  readonly path: string;
  readonly program: Node;
  readonly comments: readonly { readonly value: string; readonly line: number }[];
  readonly imports: readonly ImportedModule[];
  readonly lineCount: number;
  readonly parseErrors: readonly string[];
  lineAt(offset: number): number;
}

/** Test code: it may use development dependencies and is not part of what a package ships. */
export function isTestFile(path: string): boolean {
  return /\.(test|test-d|bench)\.ts$/.test(path) || path.startsWith('test/');
}

export function parseSourceFile(path: string, text: string): SourceFile {
  const result = parseSync(path, text, { lang: 'ts', sourceType: 'module' });
  const starts = lineStarts(text);
  const lineAt = (offset: number): number => lineOf(starts, offset);
  return {
    path,
    program: result.program,
    comments: result.comments.map((comment) => ({ value: comment.value, line: lineAt(comment.start) })),
    imports: importsOf(result.program, lineAt),
    lineCount: starts.length - (text.endsWith('\n') ? 1 : 0),
    parseErrors: result.errors.map((error) => error.message),
    lineAt,
  };
}

/** Calls `visit` for `node` and everything below it, parents first. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, visit, node);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function importsOf(program: Node, lineAt: (offset: number) => number): ImportedModule[] {
  const imports: ImportedModule[] = [];
  walk(program, (node) => {
    const source = moduleNamedBy(node);
    if (source?.type === 'Literal' && typeof source.value === 'string') {
      imports.push({ specifier: source.value, line: lineAt(node.start) });
    }
  });
  return imports;
}

function moduleNamedBy(node: Node): Node | null | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node.source;
    default:
      return undefined;
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
