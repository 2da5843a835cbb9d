import type { ResetPlan } from 'millrace';

/** The plan as text for a person, what is empty left out. */
export function renderPlan(plan: ResetPlan, execute: boolean): string {
  const headline = execute
    ? `Reset of the application ${plan.applicationId}:`
    : `What a reset of the application ${plan.applicationId} would do (nothing is changed; --execute does it):`;
  const members = plan.members.map(({ memberId, clientId, host }) => `${memberId} (${clientId} at ${host})`);
  const offsets = plan.offsets.map(({ topic, partition, from, to }) => `${topic}-${partition}: ${from ?? 'none'} → ${to}`);
  const lines = [
    headline,
    ...section('Remove from the group:', members),
    ...section('End the transactions:', plan.transactions),
    ...section('Delete the internal topics:', plan.topics),
    ...section('Delete the local state on this machine (other machines: run it there too, or delete it there):', plan.localState),
    ...section('Commit the offsets:', offsets),
    ...plan.warnings.map((warning) => `Note: ${warning}`),
    ...plan.obstacles.map((obstacle) => `Refused: ${obstacle}`),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [title, ...items.map((item) => `  ${item}`)];
}
