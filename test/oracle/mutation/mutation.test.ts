import { describe, expect, it } from 'vitest';
import { CHECKS, describeFindings, judge } from '../judge.ts';
import { healthyEvidence } from './healthy-evidence.ts';
import type { Draft } from './draft.ts';
import { MUTATIONS } from './mutations.ts';

describe('the oracle', () => {
  const healthy = healthyEvidence();

  it.each([1, 2, 3, 4, 5])('finds nothing wrong with a healthy run (seed %i)', (seed) => {
    expect(describeFindings(judge(healthyEvidence(seed)))).toBe('');
  });

  it.each(MUTATIONS.map(({ name, check, apply }) => [check, name, apply] as const))('%s finds: %s', (check, _name, apply) => {
    const draft = structuredClone(healthy) as Draft;
    apply(draft);
    const findings = judge(draft);
    expect(
      findings.map((finding) => finding.check),
      describeFindings(findings),
    ).toContain(check);
  });

  it('has a seeded defect for each of its checks', () => {
    expect(new Set(MUTATIONS.map(({ check }) => check))).toEqual(new Set(Object.keys(CHECKS)));
  });
});
