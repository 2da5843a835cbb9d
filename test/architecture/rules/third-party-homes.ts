import { thirdPartyHomes } from '../exceptions.ts';
import { isTestFile } from '../source-file.ts';
import { publishedPackages, type Workspace } from '../workspace.ts';
import { resolveModule } from './module-resolution.ts';

/** A third party that the rest must not know is imported only by its adapter package, in few files. */
export function thirdPartiesAtHome(workspace: Workspace, homes = thirdPartyHomes): string[] {
  const violations: string[] = [];
  for (const [name, home] of Object.entries(homes)) {
    const importers = publishedPackages(workspace)
      .flatMap((one) => one.files)
      .filter((file) => !isTestFile(file.path))
      .filter((file) => file.imports.some(({ specifier }) => isThirdParty(workspace, file.path, specifier, name)))
      .map((file) => file.path);
    const strangers = importers.filter((path) => !path.startsWith(`${home.folder}/`));
    violations.push(...strangers.map((path) => `${path} imports ${name}, which only ${home.folder} may know`));
    const atHome = importers.length - strangers.length;
    if (atHome > home.filesMax)
      violations.push(`${home.folder} imports ${name} in ${atHome} files; at most ${home.filesMax} may`);
  }
  return violations;
}

function isThirdParty(workspace: Workspace, path: string, specifier: string, name: string): boolean {
  const target = resolveModule(workspace, path, specifier);
  return target.kind === 'third-party' && target.name === name;
}
