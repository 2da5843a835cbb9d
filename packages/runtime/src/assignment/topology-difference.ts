import { describeDifference } from '@millrace/topology';
import { unpackContract, type TopologyContract } from './topology-contract.ts';

/**
 * Says for people what is different between the topology of the group and one's own.
 *
 * @param packed the group's contract as it came with the assignment
 */
export function differenceFrom(packed: Buffer, own: TopologyContract): string {
  const group = unpackContract(packed);
  if (group === undefined) return 'the leader could not say which topology the group runs\n';
  const lines = [...onlyIn('the group', group.facts, own.facts), ...onlyIn('this worker', own.facts, group.facts)];
  return `${lines.join('')}${String(describeDifference(group.description, own.description))}`;
}

function onlyIn(side: string, facts: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return facts.filter((fact) => !known.has(fact)).map((fact) => `only in ${side}: ${fact}\n`);
}
