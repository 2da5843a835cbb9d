import { RawClient } from '@millrace/broker/raw-client';
import { systemClock } from '@millrace/core';
import { describeCluster } from '@millrace/wire';
import fc from 'fast-check';
import { validFrames } from './valid-frames.ts';

/** What a run has found. A broker that crashes or hangs ends the run with an error instead. */
export interface FuzzResult {
  readonly frames: number;
  /** Most memory of this process besides what it had before, MiB. */
  readonly grownMiB: number;
}

export interface FuzzOptions {
  /** `host:port` of a broker in this process. */
  readonly address: string;
  readonly seconds: number;
  /** Goes on for longer when it has not sent so many by then. Default 0. */
  readonly framesMin?: number;
  readonly seed: number;
}

/** Far more than it ever takes: a busy machine stands still for seconds. */
const ANSWER_TIMEOUT_MS = 20_000;
const FRAMES_PER_CONNECTION = 20;
const MIB = 1024 * 1024;

/** One thing done to a frame: at a place, with a value. */
interface Mutation {
  readonly kind: 'flip' | 'number' | 'cut' | 'repeat' | 'length';
  readonly at: number;
  readonly value: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'flip', 'number', 'number', 'cut', 'repeat', 'length'),
  at: fc.nat({ max: 0xffff }),
  value: fc.oneof(fc.constantFrom(0, -1, 0x7fffffff, -0x80000000, 0x00ffffff, 1), fc.integer()),
});
const frames = validFrames();
const frame = fc
  .tuple(fc.constantFrom(...frames), fc.array(mutation, { maxLength: 4 }))
  .map(([bytes, mutations]) => mutations.reduce(mutated, bytes));

/**
 * Sends damaged requests to a broker, as many as the time allows or are asked for, and asks it in between whether it still answers.
 *
 * @throws Error when an undamaged request is not answered in time
 */
export async function fuzzBroker({ address, seconds, framesMin = 0, seed }: FuzzOptions): Promise<FuzzResult> {
  const end = systemClock.monotonicMs() + seconds * 1000;
  const before = process.memoryUsage.rss();
  using witness = await RawClient.connect(address);
  const stream = fc.sample(frame, { seed, numRuns: 5000 });
  let sent = 0;
  let most = before;
  while (systemClock.monotonicMs() < end || sent < framesMin) {
    using connection = await RawClient.connect(address);
    for (let i = 0; i < FRAMES_PER_CONNECTION; i++, sent++) {
      void connection.sendBytes(varied(stream, sent)).catch(() => undefined);
    }
    await answersInTime(witness, sent);
    most = Math.max(most, process.memoryUsage.rss());
  }
  return { frames: sent, grownMiB: Math.round((most - before) / MIB) };
}

/** Goes round and round the sample, each time with another byte changed. */
function varied(stream: readonly Buffer[], index: number): Buffer {
  const bytes = Buffer.from(stream[index % stream.length] as Buffer);
  const round = Math.floor(index / stream.length);
  if (round > 0 && bytes.length > 8)
    bytes.writeUInt8((bytes.readUInt8(4 + (round % (bytes.length - 4))) + round) & 0xff, 4 + (round % (bytes.length - 4)));
  return bytes;
}

function mutated(bytes: Buffer, { kind, at, value }: Mutation): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length < 12) return copy;
  const place = 4 + (at % (copy.length - 8));
  switch (kind) {
    case 'flip':
      copy.writeUInt8(copy.readUInt8(place) ^ (1 << (value & 7)), place);
      return copy;
    case 'number':
      copy.writeInt32BE(value | 0, place);
      return copy;
    case 'length':
      copy.writeInt32BE(value | 0, 0);
      return copy;
    case 'cut':
      return withLength(copy.subarray(0, place));
    case 'repeat':
      return withLength(Buffer.concat([copy, copy.subarray(place)]));
  }
}

/** The frame says how long it is now. */
function withLength(bytes: Buffer): Buffer {
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
}

async function answersInTime(witness: RawClient, sent: number): Promise<void> {
  const timeout = new AbortController();
  const tooLate = systemClock.sleep(ANSWER_TIMEOUT_MS, timeout.signal).then(() => {
    throw new Error(`the broker did not answer within ${ANSWER_TIMEOUT_MS} ms after frame ${sent}`);
  });
  tooLate.catch(() => undefined);
  const { errorCode } = await Promise.race([witness.send(describeCluster, 0, {}), tooLate]);
  timeout.abort();
  if (errorCode !== 0) throw new Error(`the broker answered ${errorCode} after frame ${sent}`);
}
