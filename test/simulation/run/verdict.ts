import { execFileSync } from 'node:child_process';
import { describeFindings, judge } from '../../oracle/judge.ts';
import type { CheckId } from '../../oracle/evidence/evidence.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { describeFault } from './fault-injection.ts';
import { type RunResult, simulate } from './simulation.ts';

/** A run and what the oracle says about it. */
export interface Verdict {
  readonly result: RunResult;
  /** Nothing when all is right. */
  readonly findings: string;
}

/**
 * What at least once does not promise: nobody fences a producer without transactions, so a worker that was paused may write rows of
 * its own to a changelog behind those of the new owner, as in Kafka Streams.
 */
const UNFENCED: ReadonlySet<CheckId> = new Set(['V5', 'V10']);

/** Several times what runs need; a loop that does not wait makes ten thousand. */
const EVENTS_PER_SECOND_MAX = 5000;

/** Simulates and judges. */
export async function judgeRun(plan: RunPlan): Promise<Verdict> {
  const result = await simulate(plan);
  const { evidence, failure } = result;
  if (evidence === undefined) return { result, findings: failure ?? 'there is no evidence' };
  if (result.busiestSecond > EVENTS_PER_SECOND_MAX) {
    const findings = `${result.busiestSecond} events within a second: somebody looks again and again instead of waiting`;
    return { result, findings };
  }
  const isExact = plan.ledger.guarantee === 'exactly_once_v2';
  return { result, findings: describeFindings(judge(evidence).filter(({ check }) => isExact || !UNFENCED.has(check))) };
}

/** Everything that is needed to look into a run that has failed. */
export function describeFailure(plan: RunPlan, { result, findings }: Verdict): string {
  const numbers = plan.faults.map(({ number }) => number).join(',');
  return [
    `seed ${plan.seed} at commit ${commit()}, trace ${result.trace} after ${result.events} events:`,
    findings,
    `settings: ${JSON.stringify({ ...plan.ledger, ...plan.settings, ...plan.broker, isStatic: plan.isStatic })}`,
    'faults:',
    ...plan.faults.map((fault) => `  ${describeFault(fault)}${result.happened.has(fault.number) ? '' : ' (did not come about)'}`),
    `again: SIMULATION_FROM=${plan.seed} SIMULATION_SEEDS=1 SIMULATION_FAULTS=${numbers} npm run test:simulation`,
    result.journal(),
  ].join('\n');
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}
