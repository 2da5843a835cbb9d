import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Random, SettingsError, systemRandom, TaskCorruptedError, RetriableError } from '@millrace/core';
import type { OpenDatabaseOptions, StateDatabase, StateEngine } from '@millrace/state';
import { GENERATION_KEY, lastWrite } from './database/engine-rows.ts';
import { LevelDbDatabase } from './database/level-db-database.ts';
import { diskFull, freeBytes, levelCode, stateError } from './database/level-error.ts';
import { type Level, type LevelSettings, openLevel } from './database/level-store.ts';
import { Turns } from './database/turns.ts';
import { readFormatFile, writeFormatFile } from './directory/format-file.ts';
import { purgeQuarantined, quarantineDirectory } from './directory/quarantine.ts';
import { removeDirectory, removeLeftovers } from './directory/remove-directory.ts';
import { assertClosed, assertFree, StateLock } from './directory/state-lock.ts';
import { findDamagedFile } from './files/find-damaged-file.ts';

/** Settings of the LevelDB engine. */
export interface LevelDbOptions {
  /**
   * Size of LevelDB's write buffer, per task; up to two are in memory. Raising it makes restoring and large commits
   * cheaper, and opening after a crash slower. Bytes · range 64 KiB–1 GiB · default 4 MiB.
   */
  readonly writeBufferBytes?: number;
  /**
   * Size of LevelDB's cache of blocks, per task, below Millrace's own cache of rows. Bytes · range 0–16 GiB · default 8 MiB.
   */
  readonly blockCacheBytes?: number;
  /**
   * Whether opening reads all files and compares them with their checksums, about 3 s per GB. Without it a row that got lost
   * through a damaged disk block reads as absent; damaged values are always found. Default true.
   */
  readonly verifyFiles?: boolean;
  /** Source of the generation ids. Default: the system's. */
  readonly random?: Random;
}

type ResolvedOptions = Required<LevelDbOptions>;

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const LEVEL_DIRECTORY = 'leveldb';

/**
 * Keeps the state of each task in a LevelDB of its own, under `<directory>/leveldb`.
 *
 * @throws SettingsError when an option is out of range
 *
 * @example await start(topology, { …, stateDir: '/var/lib/checkout' }, { engine: levelDbEngine() });
 */
export function levelDbEngine(options: LevelDbOptions = {}): StateEngine {
  return new LevelDbEngine(resolveOptions(options));
}

function resolveOptions(options: LevelDbOptions): ResolvedOptions {
  const { writeBufferBytes = 4 * MIB, blockCacheBytes = 8 * MIB, verifyFiles = true, random = systemRandom } = options;
  const problems = [
    ...outOfRange('writeBufferBytes', writeBufferBytes, 64 * KIB, GIB),
    ...outOfRange('blockCacheBytes', blockCacheBytes, 0, 16 * GIB),
  ];
  if (problems.length > 0) throw new SettingsError('STATE_OPTIONS_INVALID', `levelDbEngine: ${problems.join('; ')}`);
  return { writeBufferBytes, blockCacheBytes, verifyFiles, random };
}

function outOfRange(name: string, value: number, min: number, max: number): readonly string[] {
  return Number.isInteger(value) && value >= min && value <= max
    ? []
    : [`${name} is ${value}; it must be an integer from ${min} to ${max}`];
}

class LevelDbEngine implements StateEngine {
  readonly name = 'leveldb';
  readonly persistent = true;
  readonly #options: ResolvedOptions;
  readonly #compactions = new Turns();
  /** Directories on whose disk there was no room, and for how many bytes. */
  readonly #full = new Map<string, number>();

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  async open(options: OpenDatabaseOptions): Promise<StateDatabase> {
    const { directory, taskId } = options;
    try {
      await this.#makeDirectory(directory, taskId);
      await this.#assertRoom(directory, taskId);
      const lock = await StateLock.acquire(directory, taskId, this.#options.random.uuid());
      try {
        return await this.#openLocked(options, lock);
      } catch (error) {
        // What made opening fail says more than that its lock stays as well.
        await lock.release().catch(() => undefined);
        throw error;
      }
    } catch (error) {
      const failure = stateError(error, directory, taskId);
      if (failure.code === 'STATE_DISK_FULL' && !this.#full.has(directory)) this.#full.set(directory, 0);
      throw failure;
    }
  }

  /**
   * After a full disk: waits for room for what could not be written and what LevelDB needs to rewrite its logs, so that opening is not
   * tried in vain again and again. Copies of damaged state go first.
   */
  async #assertRoom(directory: string, taskId: string): Promise<void> {
    const failedBytes = this.#full.get(directory);
    if (failedBytes === undefined) return;
    await purgeQuarantined(directory);
    const needed = Math.max(failedBytes, this.#options.writeBufferBytes) * 2;
    const free = freeBytes(directory);
    if (free !== undefined && free < needed) throw diskFull(directory, taskId, needed);
    this.#full.delete(directory);
  }

  async #makeDirectory(directory: string, taskId: string): Promise<void> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o750 });
    } catch (cause) {
      const failure = stateError(cause, directory, taskId);
      if (failure.code === 'STATE_DISK_FULL') throw failure;
      throw new SettingsError(
        'STATE_DIRECTORY_UNUSABLE',
        `the state directory ${resolve(directory)} cannot be made; check path and permissions`,
        { taskId, cause },
      );
    }
  }

  async #openLocked(options: OpenDatabaseOptions, lock: StateLock): Promise<StateDatabase> {
    const { directory, taskId, logger } = options;
    const files = join(directory, LEVEL_DIRECTORY);
    const format = await readFormatFile(directory, taskId);
    if (format !== undefined && this.#options.verifyFiles) await assertIntact(files, taskId);
    const level = await openFiles(files, this.#options, format === undefined, taskId);
    try {
      if (!(await lock.isHeld()))
        throw new RetriableError('STATE_LOCKED', `the state in ${directory} was taken by another process`, { taskId });
      const generation = format?.generation ?? (await startGeneration(level, directory, taskId, this.#options.random));
      const lastWrite = checkHistory(level, directory, taskId, generation);
      const onClosed = () => lock.release();
      const onDiskFull = (bytes: number) => void this.#full.set(directory, bytes);
      const compaction = { compactFromBytes: this.#options.writeBufferBytes, compactions: this.#compactions };
      return new LevelDbDatabase({ level, directory, taskId, logger, lastWrite, compaction, onDiskFull, onClosed });
    } catch (error) {
      await level.close();
      throw levelCode(error)?.startsWith('LEVEL_') ? stateError(error, directory, taskId) : error;
    }
  }

  async quarantine(directory: string): Promise<void> {
    await assertClosed(directory);
    await quarantineDirectory(directory);
  }

  async destroy(directory: string): Promise<void> {
    await assertFree(directory);
    await removeDirectory(directory);
  }

  async sweep(parentDirectory: string): Promise<void> {
    await removeLeftovers(parentDirectory);
  }
}

async function openFiles(files: string, settings: LevelSettings, createIfMissing: boolean, taskId: string): Promise<Level> {
  try {
    return await openLevel(files, settings, createIfMissing);
  } catch (error) {
    if (levelCode(error) === 'LEVEL_LOCKED') {
      throw new RetriableError('STATE_LOCKED', `the state in ${files} is in use by another process`, { taskId, cause: error });
    }
    // Without `CURRENT` LevelDB takes the directory for one without a database; the marker beside it says that there was one.
    if (/does not exist/.test(String((error as Error).cause)))
      throw corrupt(`files of the state in ${files} are missing`, taskId);
    throw stateError(error, files, taskId);
  }
}

async function assertIntact(files: string, taskId: string): Promise<void> {
  try {
    const damaged = await findDamagedFile(files);
    if (damaged !== undefined) throw corrupt(`${join(files, damaged)} does not match its checksums`, taskId);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw corrupt(`files of the state in ${files} are missing`, taskId);
    throw error;
  }
}

/** Marks a new database, first inside and then beside it; until both are there nothing else is written. */
async function startGeneration(level: Level, directory: string, taskId: string, random: Random): Promise<string> {
  const found = level.getSync(GENERATION_KEY);
  if (found === undefined && (await level.keys({ limit: 1 }).all()).length > 0) {
    throw corrupt(`the state in ${directory} has lost its marker state.json`, taskId);
  }
  if (found !== undefined && lastWrite((key) => level.getSync(key)) !== 0) {
    throw corrupt(`the state in ${directory} has lost its marker state.json`, taskId);
  }
  const generation = found?.toString('utf8') ?? random.uuid();
  if (found === undefined) {
    const batch = level.batch();
    batch.put(GENERATION_KEY, Buffer.from(generation, 'utf8'));
    await batch.write({ sync: true });
  }
  await writeFormatFile(directory, generation, taskId);
  return generation;
}

/** Throws unless the database is the one that the directory should hold and no write before the last is missing. */
function checkHistory(level: Level, directory: string, taskId: string, generation: string): number {
  const found = level.getSync(GENERATION_KEY)?.toString('utf8');
  if (found !== generation)
    throw corrupt(`the state in ${directory} is not the database that it should be; files have been lost`, taskId);
  const written = lastWrite((key) => level.getSync(key));
  if (written === undefined) throw corrupt(`writes are missing from the state in ${directory}; a log has been damaged`, taskId);
  return written;
}

function corrupt(what: string, taskId: string): TaskCorruptedError {
  return new TaskCorruptedError('STATE_CORRUPT', `${what}; the state has to be restored from the changelog`, { taskId });
}
