import { firstDifference } from './compare.ts';
import type { Topology } from '@millrace/topology';
import { drive } from './drive.ts';
import type { EngineUnderTest } from './engines.ts';
import { interpret } from './interpreter/interpret.ts';
import type { Vector } from './vector.ts';

export type Verdict =
  | { readonly kind: 'passed' }
  /** The first difference, readable by itself. */
  | { readonly kind: 'failed'; readonly difference: string };

const passed: Verdict = { kind: 'passed' };

function failed(difference: string): Verdict {
  return { kind: 'failed', difference };
}

/** Builds the vector's topology with the DSL, feeds its inputs into the test driver and compares everything it pins. */
export async function checkVector(vector: Vector, engine: EngineUnderTest): Promise<Verdict> {
  let topology: Topology;
  try {
    topology = interpret(vector);
  } catch (error) {
    if (vector.expectError?.phase === 'build') return checkBuildError(vector, error);
    return failed(`building the topology failed: ${messageOf(error)}`);
  }
  if (vector.expectError?.phase === 'build') return failed(`building the topology must fail with\n    ${expectation(vector)}`);
  const run = await drive(vector, topology, engine);
  return checkRun(vector, run.failedAt, run.error) ?? compare(vector, run.observed);
}

function checkBuildError(vector: Vector, error: unknown): Verdict {
  // Kafka's illegal arguments are our TopologyErrors, too: what matters is that the program is told at build.
  if (error instanceof Error && (error.name === 'TopologyError' || error.name === 'SettingsError')) return passed;
  return failed(`building the topology must fail with\n    ${expectation(vector)}\n    but failed with ${messageOf(error)}`);
}

function expectation({ expectError }: Vector): string {
  return `${expectError?.class}: ${expectError?.message}`;
}

function checkRun(vector: Vector, failedAt: number | undefined, error: unknown): Verdict | undefined {
  const expected = vector.expectError;
  if (expected === undefined) return failedAt === undefined ? undefined : failed(`input ${failedAt} failed: ${messageOf(error)}`);
  if (failedAt === expected.at) return undefined;
  if (failedAt === undefined) return failed(`input ${expected.at} must fail with ${expected.class}: ${expected.message}`);
  return failed(`input ${expected.at} must fail, but input ${failedAt} did: ${messageOf(error)}`);
}

function compare(vector: Vector, observed: Parameters<typeof firstDifference>[1]): Verdict {
  const difference = firstDifference(vector, observed);
  return difference === undefined ? passed : failed(difference);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
