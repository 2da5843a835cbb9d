import fc from 'fast-check';
import type { Operation } from './operation.ts';
import { runScript } from './run-script.ts';
import { scriptArbitrary } from './script-arbitrary.ts';

/** Where two brokers first answered differently. */
export interface Difference {
  readonly step: number;
  readonly operation: Operation;
  readonly expected: string;
  readonly actual: string;
  readonly script: readonly Operation[];
  readonly answers: readonly string[];
}

/** How often a script must show a difference before it counts: some answers are a matter of time, also in one broker. */
const REPETITIONS = 2;

let runs = 0;

/** Runs a script against both and finds the first difference that shows itself each time. */
export async function compareBrokers(
  reference: string,
  candidate: string,
  script: readonly Operation[],
): Promise<Difference | undefined> {
  let difference: Difference | undefined;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const prefix = `d${process.pid}-${runs++}`;
    const [answers, actual] = await Promise.all([runScript(reference, prefix, script), runScript(candidate, prefix, script)]);
    difference = firstDifference(script, answers, actual);
    if (difference === undefined) return undefined;
  }
  return difference;
}

export function firstDifference(
  script: readonly Operation[],
  answers: readonly string[],
  actual: readonly string[],
): Difference | undefined {
  const step = script.findIndex((_, index) => answers[index] !== actual[index]);
  if (step < 0) return undefined;
  return {
    step,
    operation: script[step] as Operation,
    expected: answers[step] ?? 'nothing: the connection was closed before',
    actual: actual[step] ?? 'nothing: the connection was closed before',
    script,
    answers,
  };
}

/** The script that a seed stands for, and the smallest one found that shows a difference, if there is any. */
export async function compareSeed(
  reference: string,
  candidate: string,
  seed: number,
  scripts: fc.Arbitrary<readonly Operation[]> = scriptArbitrary,
): Promise<Difference | undefined> {
  let smallest: Difference | undefined;
  const property = fc.asyncProperty(fc.noBias(scripts), async (script) => {
    const difference = await compareBrokers(reference, candidate, script);
    if (difference !== undefined) smallest = difference;
    return difference === undefined;
  });
  await fc.check(property, { seed, numRuns: 1, interruptAfterTimeLimit: 60_000 });
  return smallest;
}

/** The script that a seed stands for. */
export function scriptOf(seed: number): readonly Operation[] {
  const [script] = fc.sample(fc.noBias(scriptArbitrary), { seed, numRuns: 1 });
  return script ?? [];
}

/** A difference for people: what was asked and answered before, and what the two said. */
export function describeDifference({ step, script, answers, operation, expected, actual }: Difference): string {
  const before = script.slice(0, step).map((one, index) => `  ${JSON.stringify(one)}\n    → ${answers[index]}`);
  return [...before, `≠ ${JSON.stringify(operation)}`, `    Kafka   → ${expected}`, `    Millrace → ${actual}`].join('\n');
}
