import { ClassicLevel } from 'classic-level';

/** Settings of LevelDB that matter here; see `LevelDbOptions`. */
export interface LevelSettings {
  readonly writeBufferBytes: number;
  readonly blockCacheBytes: number;
}

/** LevelDB over plain bytes. The one place, with its users' types, that knows classic-level. */
export type Level = ClassicLevel<Buffer, Buffer>;
export type LevelBatch = ReturnType<Level['batch']>;
export type LevelSnapshot = ReturnType<Level['snapshot']>;

/** Opens LevelDB in a directory. Throws its errors as they are. */
export async function openLevel(directory: string, settings: LevelSettings, createIfMissing: boolean): Promise<Level> {
  const level: Level = new ClassicLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await level.open({
    createIfMissing,
    errorIfExists: false,
    // Table files whose blocks are not compressed can be verified without a decompressor, and cost less CPU to write.
    compression: false,
    writeBufferSize: settings.writeBufferBytes,
    cacheSize: settings.blockCacheBytes,
  });
  return level;
}
