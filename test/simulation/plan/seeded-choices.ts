import { createHash } from 'node:crypto';
import { type Random, seededRandom } from '@millrace/core';

/**
 * Randomness of one part of a run: parts of their own, so that one that takes more or less of it does not change the others.
 *
 * @param seed any text; a run's seed is a whole number up to 2⁶⁴
 */
export function randomOf(seed: string, part: string): Random {
  return seededRandom(createHash('sha256').update(`${seed}/${part}`).digest().readUInt32LE(0));
}

/** Choices in words. */
export class Choices {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From 0 to below 1. */
  fraction(): number {
    return this.#random.next();
  }

  /** With that probability. */
  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#random.next() * (most - least + 1));
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.between(0, values.length - 1)] as T;
  }
}
