import { createReset, type ResetPlan } from 'millrace';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host/host.ts';
import { loadTopology } from '../module/load-topology.ts';
import { renderPlan } from './render-plan.ts';
import type { ResetCommandRequest } from './reset-request.ts';

/**
 * `millrace reset`: says what a reset of the application would do, or does it.
 *
 * @returns the exit code: 1 also for a plan that could not be carried out as things are
 * @throws UsageError, SettingsError, and StreamsError when the reset is refused or fails
 */
export async function resetCommand(request: ResetCommandRequest, host: Host): Promise<number> {
  const topology = await loadTopology(request.module, host);
  await using reset = createReset(topology, { ...request.connection, clock: host.clock });
  const plan = await reset.plan(request.reset);
  const isPossible = plan.obstacles.length === 0;
  const execute = request.execute && isPossible;
  if (!request.json) host.stdout.write(renderPlan(plan, execute));
  if (execute) await reset.execute(plan);
  if (request.json) host.stdout.write(`${JSON.stringify(outcome(plan, execute))}\n`);
  else if (execute) host.stdout.write('Done.\n');
  return isPossible ? exitCodes.clean : exitCodes.failure;
}

function outcome(plan: ResetPlan, executed: boolean): object {
  const offsets = plan.offsets.map((change) => ({ ...change, from: change.from ?? null }));
  return { executed, ...plan, offsets };
}
