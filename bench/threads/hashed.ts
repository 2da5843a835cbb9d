import { createHash } from 'node:crypto';

/** The work of user code: hashes a text over and over. */
export function hashed(text: string, rounds: number): string {
  let result = text;
  for (let i = 0; i < rounds; i++) result = createHash('sha256').update(result).digest('base64');
  return result;
}
