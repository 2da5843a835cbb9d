import { describe, expect, it } from 'vitest';
import { loadWorkspace } from './load-workspace.ts';
import { ambientAccess } from './rules/ambient-access.ts';
import { declaredDependencies } from './rules/declared-dependencies.ts';
import { deepImports } from './rules/deep-imports.ts';
import { exportAll } from './rules/export-all.ts';
import { folderNames } from './rules/folder-names.ts';
import { importCycles } from './rules/import-cycles.ts';
import { leftovers } from './rules/leftovers.ts';
import { packageShape } from './rules/package-shape.ts';
import { projectReferences } from './rules/project-references.ts';
import { ranks } from './rules/ranks.ts';
import { fileLength, functionLength } from './rules/size.ts';
import { thirdPartiesAtHome } from './rules/third-party-homes.ts';

describe('the workspace', () => {
  const workspace = loadWorkspace();

  it.each([
    ['imports only packages of lower rank', ranks],
    ['imports only declared dependencies', declaredDependencies],
    ['keeps third parties in their adapter package', thirdPartiesAtHome],
    ['imports only declared exports, and no barrel inside a package', deepImports],
    ['has no import cycle of values or types', importCycles],
    ['names every export', exportAll],
    ['reaches clock, timers, randomness, environment and console through ports', ambientAccess],
    ['has no function over 70 lines', functionLength],
    ['has no source file over 400 lines', fileLength],
    ['gives every package a README, a rank and typed exports', packageShape],
    ['builds every project with the projects it depends on', projectReferences],
    ['has no bags without a subject', folderNames],
    ['has nothing unfinished', leftovers],
  ])('%s', (_sentence, rule) => {
    expect(rule(workspace)).toEqual([]);
  });
});
