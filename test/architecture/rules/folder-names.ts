import type { Workspace } from '../workspace.ts';

const bags = /(^|\/)(utils?|common|helpers?|misc|shared|internals?)(\/|\.ts$)/;

/** Folders and files are nouns of the domain; a bag without a subject collects everything. */
export function folderNames(workspace: Workspace): string[] {
  return [...workspace.paths].filter((path) => bags.test(path)).map((path) => `${path} lies in or is a bag without a subject`);
}
