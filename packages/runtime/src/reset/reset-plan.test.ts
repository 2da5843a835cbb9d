import { describe, expect, it } from 'vitest';
import type { InputFacts, OffsetTarget } from './offset-target.ts';
import { planReset, type ResetFacts } from './reset-plan.ts';

const input: InputFacts = { topic: 'in', partition: 0, earliest: 10, latest: 100, committed: 50, atTime: undefined };
const facts: ResetFacts = {
  applicationId: 'app',
  topics: { inputs: ['in'], intermediates: [], doomed: ['app-s-changelog'], leftovers: [], writtenInputs: [] },
  inputs: [input],
  members: [],
  transactions: [],
  localState: ['/state/app/0'],
};
const member = { memberId: 'm', clientId: 'c', host: '/h', partitions: [], processId: undefined };

describe('the plan of a reset', () => {
  it('goes to the beginning and deletes what the application has made', () => {
    expect(planReset(facts, {})).toEqual({
      applicationId: 'app',
      members: [],
      transactions: [],
      topics: ['app-s-changelog'],
      localState: ['/state/app/0'],
      offsets: [{ topic: 'in', partition: 0, from: 50, to: 10 }],
      warnings: [],
      obstacles: [],
    });
  });

  it.each<readonly [OffsetTarget, Partial<InputFacts>, number]>([
    [{ kind: 'latest' }, {}, 100],
    [{ kind: 'offset', offset: 42 }, {}, 42],
    [{ kind: 'offset', offset: 3 }, {}, 10],
    [{ kind: 'offset', offset: 300 }, {}, 100],
    [{ kind: 'shift', by: -7 }, {}, 43],
    [{ kind: 'shift', by: -70 }, {}, 10],
    [{ kind: 'shift', by: 70 }, {}, 100],
    [{ kind: 'time', atMs: 1 }, { atTime: 77 }, 77],
    [{ kind: 'time', atMs: 1 }, { atTime: -1 }, 100],
  ])('goes to %j', (to, known, expected) => {
    expect(planReset({ ...facts, inputs: [{ ...input, ...known }] }, { to }).offsets).toMatchObject([{ to: expected }]);
  });

  it('cannot shift what was never committed, and says so', () => {
    const { offsets, warnings } = planReset(
      { ...facts, inputs: [{ ...input, committed: undefined }] },
      { to: { kind: 'shift', by: 1 } },
    );
    expect([offsets, warnings]).toEqual([[], [expect.stringContaining('in-0')]]);
  });

  it('skips intermediate topics to their ends', () => {
    const topics = { ...facts.topics, inputs: [], intermediates: ['in'] };
    expect(planReset({ ...facts, topics }, {}).offsets).toMatchObject([{ to: 100 }]);
  });

  it('is not possible while the group has members, unless they are to be removed', () => {
    expect(planReset({ ...facts, members: [member] }, {})).toMatchObject({
      members: [],
      obstacles: [expect.stringContaining('c at /h')],
    });
    expect(planReset({ ...facts, members: [member] }, { force: true })).toMatchObject({
      members: [{ memberId: 'm' }],
      obstacles: [],
    });
  });

  it('points at topics that it leaves alone and at inputs that have two roles', () => {
    const topics = { ...facts.topics, leftovers: ['app-old-changelog'], writtenInputs: ['in'] };
    expect(planReset({ ...facts, topics }, {}).warnings).toEqual([
      expect.stringContaining('--intermediate-topics'),
      expect.stringContaining('app-old-changelog'),
    ]);
  });
});
