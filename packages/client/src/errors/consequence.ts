import { errorName } from '@millrace/wire';

/**
 * What follows from an error code of the broker, whatever the API:
 *
 * - `retry`: send it again after a while, to the same broker
 * - `refresh-metadata`: the leader has moved or the topic is not known yet; look again, then retry
 * - `find-coordinator`: the coordinator has moved; look it up, then retry
 * - `fenced`: another producer with the same transactional id took over, or the transaction timed out
 * - `fenced-by-group`: not a member of the group's current generation any more
 * - `abort`: the producer's state at the broker is not what we think; abort and begin with a new epoch
 * - `refused`: these records are not acceptable, others may be
 * - `fatal`: nothing that the client can do helps
 */
export type Consequence =
  | 'retry'
  | 'refresh-metadata'
  | 'find-coordinator'
  | 'fenced'
  | 'fenced-by-group'
  | 'abort'
  | 'refused'
  | 'fatal';

/** Error codes by consequence; what is not listed is fatal. Source: Kafka `Errors`, wire-facts §3. */
const CODES: Readonly<Record<Exclude<Consequence, 'fatal'>, readonly number[]>> = {
  // CORRUPT_MESSAGE (2) on a request means that it was damaged on its way: the sender's bytes are good.
  retry: [2, 7, 13, 14, 19, 20, 51, 60, 70, 71, 78, 88, 89],
  'refresh-metadata': [3, 5, 6, 8, 9, 41, 56, 72, 74, 75, 83, 100, 103],
  'find-coordinator': [15, 16],
  fenced: [47, 90],
  'fenced-by-group': [22, 25, 27, 79, 82],
  abort: [45, 48, 49, 59, 120],
  refused: [10, 18, 32, 43, 87],
};

const BY_CODE = new Map<number, Consequence>(
  Object.entries(CODES).flatMap(([consequence, codes]) => codes.map((code) => [code, consequence as Consequence] as const)),
);

export function consequenceOf(errorCode: number): Consequence {
  return BY_CODE.get(errorCode) ?? 'fatal';
}

/** True when the same request may succeed later. */
export function passesByItself(errorCode: number): boolean {
  const consequence = consequenceOf(errorCode);
  return consequence === 'retry' || consequence === 'refresh-metadata' || consequence === 'find-coordinator';
}

/** True for the name of an error code that refuses records without saying anything about the producer. */
export function isRefusal(code: string): boolean {
  return CODES.refused.some((refused) => errorName(refused) === code);
}
