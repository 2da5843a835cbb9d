import { describe, expect, it } from 'vitest';
import { workspaceOf } from '../workspace.ts';
import { ambientAccess } from './ambient-access.ts';
import { declaredDependencies } from './declared-dependencies.ts';
import { deepImports } from './deep-imports.ts';
import { exportAll } from './export-all.ts';
import { folderNames } from './folder-names.ts';
import { importCycles } from './import-cycles.ts';
import { leftovers } from './leftovers.ts';
import { packageShape } from './package-shape.ts';
import { projectReferences } from './project-references.ts';
import { ranks } from './ranks.ts';
import { fileLength, functionLength } from './size.ts';
import { thirdPartiesAtHome } from './third-party-homes.ts';

const low = JSON.stringify({
  name: '@x/low',
  millrace: { rank: 0 },
  exports: { '.': { '@millrace/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' } },
});
const high = JSON.stringify({ name: '@x/high', millrace: { rank: 1 }, dependencies: { '@x/low': '1.0.0' } });

/** Two packages, `low` under `high`, and the given files. */
function workspaceWith(files: Readonly<Record<string, string>>) {
  return workspaceOf(
    new Map(
      Object.entries({
        'packages/low/package.json': low,
        'packages/high/package.json': high,
        'packages/low/src/index.ts': '',
        ...files,
      }),
    ),
  );
}

describe('ranks', () => {
  it('lets a higher package import a lower one', () => {
    expect(ranks(workspaceWith({ 'packages/high/src/a.ts': `import { b } from '@x/low';` }))).toEqual([]);
  });

  it('fires on an import of a higher package, types and re-exports included', () => {
    const bad = `import type { A } from '@x/high';\nexport { b } from '@x/high';\ntype C = import('@x/high').C;`;
    expect(ranks(workspaceWith({ 'packages/low/src/a.ts': bad }))).toEqual([
      'packages/low/src/a.ts:1 @x/low (rank 0) imports @x/high (rank 1)',
      'packages/low/src/a.ts:2 @x/low (rank 0) imports @x/high (rank 1)',
      'packages/low/src/a.ts:3 @x/low (rank 0) imports @x/high (rank 1)',
    ]);
  });
});

describe('declared dependencies', () => {
  it('fires on an import that package.json does not declare, scoped or with a subpath', () => {
    const found = declaredDependencies(
      workspaceWith({ 'packages/high/src/a.ts': `import '@x/low'; import 'left/pad'; await import('@s/p/q');` }),
    );
    expect(found).toEqual([
      'packages/high/src/a.ts:1 left is not among the dependencies of packages/high/package.json',
      'packages/high/src/a.ts:1 @s/p is not among the dependencies of packages/high/package.json',
    ]);
  });

  it('lets tests, but not sources, use development dependencies of the root', () => {
    const files = {
      'package.json': `{"devDependencies":{"vitest":"4"}}`,
      'packages/low/src/a.test.ts': `import 'vitest';`,
      'packages/low/src/a.ts': `import 'vitest';`,
    };
    expect(declaredDependencies(workspaceWith(files))).toEqual([
      'packages/low/src/a.ts:1 vitest is not among the dependencies of packages/low/package.json',
    ]);
  });
});

describe('third parties at home', () => {
  const homes = { left: { folder: 'packages/low', filesMax: 1 } };

  it('fires on an import outside the home', () => {
    const found = thirdPartiesAtHome(workspaceWith({ 'packages/high/src/a.ts': `import 'left/src/x.js';` }), homes);
    expect(found).toEqual(['packages/high/src/a.ts imports left, which only packages/low may know']);
  });

  it('fires when more files than agreed know the third party', () => {
    const files = { 'packages/low/src/a.ts': `import 'left';`, 'packages/low/src/b.ts': `import type { L } from 'left';` };
    expect(thirdPartiesAtHome(workspaceWith(files), homes)).toEqual(['packages/low imports left in 2 files; at most 1 may']);
  });
});

describe('deep imports', () => {
  it.each([
    ['a path that is not exported', `import '@x/low/src/a.ts';`, '@x/low/src/a.ts is not among the exports of @x/low'],
    [
      'a relative path into another package',
      `import '../../low/src/a.ts';`,
      '../../low/src/a.ts leaves the package; import the package by name',
    ],
    ['the own barrel', `import './index.ts';`, './index.ts is a barrel; import the file that declares the name'],
    ['the own package by name', `import '@x/high';`, 'imports its own package by name (@x/high); import the file'],
  ])('fires on %s', (_what, text, problem) => {
    expect(deepImports(workspaceWith({ 'packages/high/src/a.ts': text }))).toEqual([`packages/high/src/a.ts:1 ${problem}`]);
  });
});

describe('import cycles', () => {
  it('fires on a cycle of types over three files', () => {
    const files = {
      'packages/low/src/a.ts': `import type { B } from './b.ts';`,
      'packages/low/src/b.ts': `export { c } from './c.ts';`,
      'packages/low/src/c.ts': `type A = import('./a.ts').A;`,
    };
    expect(importCycles(workspaceWith(files))).toEqual([
      'packages/low/src/a.ts → packages/low/src/b.ts → packages/low/src/c.ts → packages/low/src/a.ts',
    ]);
  });

  it('fires on a cycle through the exports of packages', () => {
    const files = { 'packages/low/src/index.ts': `import '../../high/src/a.ts';`, 'packages/high/src/a.ts': `import '@x/low';` };
    expect(importCycles(workspaceWith(files))).toHaveLength(1);
  });

  it('lets two files share a third', () => {
    const files = {
      'packages/low/src/a.ts': `import './b.ts'; import './c.ts';`,
      'packages/low/src/b.ts': `import './c.ts';`,
      'packages/low/src/c.ts': '',
    };
    expect(importCycles(workspaceWith(files))).toEqual([]);
  });
});

describe('export all', () => {
  it('fires on export * with and without a name', () => {
    const found = exportAll(workspaceWith({ 'packages/low/src/a.ts': `export * from './b.ts';\nexport * as c from './c.ts';` }));
    expect(found).toEqual(['packages/low/src/a.ts:1 export *', 'packages/low/src/a.ts:2 export *']);
  });
});

describe('ambient access', () => {
  it.each([
    'Date.now()',
    'new Date()',
    'Date()',
    'performance.now()',
    'process.hrtime.bigint()',
    'setTimeout(f, 1)',
    'globalThis.setTimeout(f, 1)',
    'setInterval(f, 1)',
    'setImmediate(f)',
    'queueMicrotask(f)',
    'process.nextTick(f)',
    'const later = setTimeout',
    'const later = setTimeout as Later',
    'use({ setTimeout })',
    'AbortSignal.timeout(5)',
    `import { setTimeout as sleep } from 'node:timers/promises'`,
    'Math.random()',
    'crypto.randomUUID()',
    'globalThis.crypto.getRandomValues(a)',
    `import { randomBytes } from 'node:crypto'`,
    'process.env.HOME',
    'console.log(1)',
  ])('fires on %s', (text) => {
    expect(ambientAccess(workspaceWith({ 'packages/low/src/a.ts': `\n${text};` }), [])).toEqual([
      expect.stringMatching(/^packages\/low\/src\/a\.ts:2 .* outside an adapter; take it through its port$/),
    ]);
  });

  it.each([
    'new Date(5)',
    'timers.setTimeout(f, 1)',
    'class C { setTimeout() {} }',
    'type T = typeof setTimeout',
    'const o = { console: 1 }',
    '/* Date.now() */',
    `'Math.random()'`,
  ])('lets %s be', (text) => {
    expect(ambientAccess(workspaceWith({ 'packages/low/src/a.ts': text }), [])).toEqual([]);
  });

  it('lets a declared adapter use what it declares, and nothing else', () => {
    const exceptions = [{ path: 'packages/*/src/a.ts', allows: ['clock'] as const, reason: 'a test' }];
    const found = ambientAccess(
      workspaceWith({ 'packages/low/src/a.ts': 'Date.now(); Math.random();', 'packages/low/src/b.ts': 'Date.now();' }),
      exceptions,
    );
    expect(found.map((line) => line.split(' ').slice(0, 2))).toEqual([
      ['packages/low/src/a.ts:1', 'Math.random'],
      ['packages/low/src/b.ts:1', 'Date.now'],
    ]);
  });
});

describe('size', () => {
  const body = 'a();\n'.repeat(71);

  it('fires on a function over 70 lines, and names it', () => {
    const files = {
      'packages/low/src/a.ts': `function f() {\n${body}}\nconst g = () => {\n${body}};\nclass C { #h() {\n${body}} }`,
    };
    expect(functionLength(workspaceWith(files), {})).toEqual(
      ['f', 'g', 'h'].map((name) => `packages/low/src/a.ts#${name} has 73 lines; at most 70`),
    );
  });

  it('does not count the list of tests in describe', () => {
    expect(
      functionLength(workspaceWith({ 'packages/low/src/a.test.ts': `describe.skipIf(x)('y', () => {\n${body}});` }), {}),
    ).toEqual([]);
  });

  it('fires on a file over 400 lines', () => {
    expect(fileLength(workspaceWith({ 'packages/low/src/a.ts': 'a();\n'.repeat(401) }), {})).toEqual([
      'packages/low/src/a.ts has 401 lines; at most 400',
    ]);
  });

  it('fires when a recorded exception grows, shrinks or is no longer needed', () => {
    const workspace = workspaceWith({ 'packages/low/src/a.ts': 'a();\n'.repeat(410), 'packages/low/src/b.ts': 'a();' });
    expect(fileLength(workspace, { 'packages/low/src/a.ts': 405 })).toEqual(['packages/low/src/a.ts has 410 lines; at most 405']);
    expect(fileLength(workspace, { 'packages/low/src/a.ts': 420 })).toEqual([
      'packages/low/src/a.ts shrank from 420 to 410 lines; lower the record',
    ]);
    expect(fileLength(workspace, { 'packages/low/src/a.ts': 410, 'packages/low/src/b.ts': 420 })).toEqual([
      'packages/low/src/b.ts is recorded with 420 lines and no longer exceeds 400; remove the record',
    ]);
  });
});

describe('package shape', () => {
  it('fires on missing README, rank, types and on exports without a source', () => {
    const bad = JSON.stringify({
      name: '@x/bad',
      exports: { '.': { '@millrace/source': './src/none.ts', types: './a', default: './b' }, './s': './dist/s.js' },
    });
    const found = packageShape(workspaceOf(new Map([['packages/bad/package.json', bad]])));
    expect(found).toContain('packages/bad has no README.md');
    expect(found).toContain('packages/bad has no millrace.rank in package.json');
    expect(found).toContain('packages/bad/package.json: exports["./s"] has no types');
    expect(found).toContain('packages/bad/package.json: exports["."] names packages/bad/src/none.ts, which does not exist');
  });
});

describe('project references', () => {
  it('fires on a project that the root or a dependent does not reference', () => {
    const files = {
      'tsconfig.json': `{"references":[{"path":"packages/low"}]}`,
      'packages/low/tsconfig.json': '{}',
      'packages/high/tsconfig.json': '{}',
    };
    expect(projectReferences(workspaceWith(files))).toEqual([
      'tsconfig.json does not reference packages/high',
      'packages/high/tsconfig.json does not reference packages/low',
    ]);
  });
});

describe('folder names', () => {
  it('fires on bags', () => {
    const found = folderNames(
      workspaceWith({ 'packages/low/src/utils/a.ts': '', 'packages/low/src/helpers.ts': '', 'packages/low/src/commonly.ts': '' }),
    );
    expect(found.map((line) => line.split(' ')[0])).toEqual(['packages/low/src/utils/a.ts', 'packages/low/src/helpers.ts']);
  });
});

describe('leftovers', () => {
  it('fires on markers in comments, singled-out tests and files that do not parse', () => {
    const marked = ['TO', 'DO'].join('');
    const files = {
      'packages/low/src/a.ts': `const a = '${marked}';\n// ${marked}: b`,
      'packages/low/src/b.test.ts': `it.only('x', f);`,
      'packages/low/src/c.ts': 'const = ;',
    };
    const found = leftovers(workspaceWith(files));
    expect(found.slice(0, 2)).toEqual([`packages/low/src/a.ts:2 ${marked}`, 'packages/low/src/b.test.ts:1 it.only']);
    expect(found[2]).toMatch(/^packages\/low\/src\/c\.ts does not parse: /);
  });
});
