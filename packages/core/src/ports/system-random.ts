import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from './random.ts';

/** Randomness of the machine. */
export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  uuid: () => randomUUID(),
};
