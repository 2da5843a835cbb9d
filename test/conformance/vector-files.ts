import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Vector } from './vector.ts';

export interface VectorFile {
  /** Folder below the directory that was asked for; what counts are grouped by. */
  readonly folder: string;
  readonly vector: Vector;
}

/** All vectors in a directory and those below it (or the one file), in the order of their paths. */
export function readVectors(path: string): VectorFile[] {
  if (statSync(path).isFile()) return [{ folder: dirname(path), vector: parse(path) }];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => ({ folder: relative('.', dirname(join('.', name))) || '.', vector: parse(join(path, name)) }));
}

function parse(path: string): Vector {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Vector;
  } catch (error) {
    throw new Error(`${path} is not a vector: ${String(error)}`, { cause: error });
  }
}
