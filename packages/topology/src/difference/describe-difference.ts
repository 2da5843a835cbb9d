import type { TopologyDefinition } from '../builder/topology-definition.ts';
import { outlineOf, parseDescription, type SubtopologyOutline, type TopologyOutline } from './topology-outline.ts';

/** A topology, or the text of `describe()` that was kept of one. */
export type DescribedTopology = string | { definition(): TopologyDefinition };

/** What changes for an application that has run with another topology. Names are without the application id. */
export interface TopologyDifference {
  /** Changelogs that nothing would use any more: their state is lost to the program. */
  readonly orphanedChangelogs: readonly string[];
  /** Changelogs that would be new: their stores begin empty. */
  readonly newChangelogs: readonly string[];
  /** Repartition topics and topics of foreign-key joins that nothing would read any more; what waits in them is lost. */
  readonly orphanedInternalTopics: readonly string[];
  readonly newInternalTopics: readonly string[];
  /** Sub-topologies with another number: their tasks get other ids, and their local state is restored from the changelogs. */
  readonly renumbered: readonly { readonly before: number; readonly after: number }[];
  /** Pairs of an orphaned and a new name that differ in their generated number only: most likely one and the same. */
  readonly likelyRenamed: readonly { readonly before: string; readonly after: string }[];
  /** The same for people to read. */
  toString(): string;
}

/**
 * Compares two versions of a topology: says what would become of state and internal topics if the second one took over.
 *
 * @param before for example what `millrace describe` printed for the version that runs
 * @example console.log(String(describeDifference(readFileSync('topology.txt', 'utf8'), builder.build())));
 */
export function describeDifference(before: DescribedTopology, after: DescribedTopology): TopologyDifference {
  const [was, is] = [outline(before), outline(after)];
  const changelogs = differingChangelogs(was, is);
  const orphanedInternalTopics = [...was.internalTopics].filter((topic) => !is.internalTopics.has(topic));
  const newInternalTopics = [...is.internalTopics].filter((topic) => !was.internalTopics.has(topic));
  const difference = {
    ...changelogs,
    orphanedInternalTopics,
    newInternalTopics,
    renumbered: renumbered(was.subtopologies, is.subtopologies),
    likelyRenamed: [
      ...likelyRenamed(changelogs.orphanedChangelogs, changelogs.newChangelogs),
      ...likelyRenamed(orphanedInternalTopics, newInternalTopics),
    ],
  };
  return { ...difference, toString: () => print(difference) };
}

function outline(topology: DescribedTopology): TopologyOutline {
  return typeof topology === 'string' ? parseDescription(topology) : outlineOf(topology.definition());
}

/** A store that is in both counts as unchanged where one side does not know whether it has a changelog. */
function differingChangelogs(
  was: TopologyOutline,
  is: TopologyOutline,
): Pick<TopologyDifference, 'orphanedChangelogs' | 'newChangelogs'> {
  return { orphanedChangelogs: onlyIn(was, is), newChangelogs: onlyIn(is, was) };
}

function onlyIn(one: TopologyOutline, other: TopologyOutline): string[] {
  const names = [...one.stores].filter(([name, has]) => {
    if (has === false) return false;
    if (!other.stores.has(name)) return true;
    return has === true && other.stores.get(name) === false;
  });
  return names.map(([name]) => `${name}-changelog`);
}

/** Each sub-topology goes with the one that shares most with it: stores count most, then topics, then nodes. */
function renumbered(
  before: readonly SubtopologyOutline[],
  after: readonly SubtopologyOutline[],
): { readonly before: number; readonly after: number }[] {
  const pairs = before
    .flatMap((was) => after.map((is) => ({ was, is, shared: sharedWeight(was, is) })))
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared);
  const found: { readonly before: number; readonly after: number }[] = [];
  const taken = new Set<SubtopologyOutline>();
  for (const { was, is } of pairs) {
    if (taken.has(was) || taken.has(is)) continue;
    taken.add(was).add(is);
    if (was.id !== is.id) found.push({ before: was.id, after: is.id });
  }
  return found.sort((a, b) => a.before - b.before);
}

function sharedWeight(a: SubtopologyOutline, b: SubtopologyOutline): number {
  return 100 * shared(a.stores, b.stores) + 10 * shared(a.topics, b.topics) + shared(a.nodes, b.nodes);
}

function shared(a: readonly string[], b: readonly string[]): number {
  return a.filter((name) => b.includes(name)).length;
}

function likelyRenamed(
  orphaned: readonly string[],
  fresh: readonly string[],
): { readonly before: string; readonly after: string }[] {
  const left = [...fresh];
  return orphaned.flatMap((before) => {
    const family = withoutNumber(before);
    const index = family === before ? -1 : left.findIndex((after) => withoutNumber(after) === family);
    if (index < 0) return [];
    return [{ before, after: left.splice(index, 1)[0] as string }];
  });
}

function withoutNumber(name: string): string {
  return name.replace(/\d{10}/, '#');
}

function print(difference: Omit<TopologyDifference, 'toString'>): string {
  const { renumbered: moved, likelyRenamed: renamed } = difference;
  const sections = [
    section('changelogs that nothing would use any more (their state is lost to the program)', difference.orphanedChangelogs),
    section('changelogs that would be new (their stores begin empty)', difference.newChangelogs),
    section('internal topics that nothing would read any more (what waits in them is lost)', difference.orphanedInternalTopics),
    section('internal topics that would be new', difference.newInternalTopics),
    section(
      'only the generated number differs (keep the state: give the operator the old name)',
      renamed.map(({ before, after }) => `${before} → ${after}`),
    ),
    section(
      'sub-topologies with another number (task ids change; local state is restored from the changelogs)',
      moved.map(({ before, after }) => `${before} → ${after}`),
    ),
  ].filter((text) => text !== '');
  if (sections.length === 0) return 'no difference in state, internal topics and numbers of sub-topologies\n';
  return `names are without the application id in front\n${sections.join('')}`;
}

function section(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${heading}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
