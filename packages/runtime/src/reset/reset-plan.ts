import type { DescribedMember } from '@millrace/client';
import type { ApplicationTopics } from './application-topics.ts';
import { targetOffset, type InputFacts } from './offset-target.ts';
import type { ResetRequest } from './reset-request.ts';

/** A committed offset before and after. */
export interface OffsetChange {
  readonly topic: string;
  readonly partition: number;
  /** Absent: the group has committed none. */
  readonly from: number | undefined;
  readonly to: number;
}

/** Exactly what a reset does. Plain data: it can be printed, compared, kept. */
export interface ResetPlan {
  readonly applicationId: string;
  /** Taken out of the group before anything else. */
  readonly members: readonly Pick<DescribedMember, 'memberId' | 'clientId' | 'host'>[];
  /** Transactions of dead workers, by id, that are ended so that they cannot commit offsets afterwards. */
  readonly transactions: readonly string[];
  /** Internal topics that are deleted. */
  readonly topics: readonly string[];
  /** Directories on this machine that are deleted. */
  readonly localState: readonly string[];
  /** Offsets that are committed, one per input partition. */
  readonly offsets: readonly OffsetChange[];
  /** What the reader should know. */
  readonly warnings: readonly string[];
  /** Why the plan cannot be carried out as things are; empty when it can. */
  readonly obstacles: readonly string[];
}

/** What a plan is made from. */
export interface ResetFacts {
  readonly applicationId: string;
  readonly topics: ApplicationTopics;
  readonly inputs: readonly InputFacts[];
  readonly members: readonly DescribedMember[];
  readonly transactions: readonly string[];
  readonly localState: readonly string[];
}

/** Says what a reset has to do. Pure: the same facts give the same plan. */
export function planReset(facts: ResetFacts, request: ResetRequest): ResetPlan {
  const { applicationId, topics, localState, transactions, members } = facts;
  const force = request.force === true;
  return {
    applicationId,
    members: force ? members.map(({ memberId, clientId, host }) => ({ memberId, clientId, host })) : [],
    transactions,
    topics: topics.doomed,
    localState,
    offsets: facts.inputs.flatMap((input) => changeOf(input, topics, request)),
    warnings: warningsOf(facts, request),
    obstacles: members.length > 0 && !force ? [activeMembers(facts)] : [],
  };
}

function changeOf(input: InputFacts, { intermediates }: ApplicationTopics, { to }: ResetRequest): OffsetChange[] {
  const { topic, partition, committed: from } = input;
  const target = intermediates.includes(topic) ? ({ kind: 'latest' } as const) : (to ?? ({ kind: 'earliest' } as const));
  const offset = targetOffset(target, input);
  return offset === undefined ? [] : [{ topic, partition, from, to: offset }];
}

function activeMembers({ applicationId, members }: ResetFacts): string {
  const who = members.map(({ clientId, host }) => `${clientId} at ${host}`).join(', ');
  return `the group ${applicationId} has ${members.length} members (${who}): stop all workers, or wait until the session timeout of dead ones is over; --force removes them`;
}

function warningsOf({ topics, inputs }: ResetFacts, { to }: ResetRequest): string[] {
  const warnings = topics.writtenInputs.map(
    (topic) => `${topic} is read and also written by this topology: name it in --intermediate-topics if it has no other writer`,
  );
  if (topics.leftovers.length > 0) {
    warnings.push(
      `not of this topology, left alone: ${topics.leftovers.join(', ')}. If another version of this application made them, ` +
        'name them in --internal-topics to delete them; they may belong to an application whose id begins with this one',
    );
  }
  const unset = to?.kind === 'shift' ? inputs.filter(({ committed }) => committed === undefined) : [];
  if (unset.length > 0) {
    const names = unset.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
    warnings.push(`nothing to shift, left without a committed offset: ${names}`);
  }
  return warnings;
}
