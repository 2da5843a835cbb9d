import { recordsIn } from './log-file.ts';
import { VarintReader } from './varint-reader.ts';

/** Which files a database consists of. */
export interface LiveFiles {
  /** Numbers of table files. */
  readonly tables: ReadonlySet<number>;
  /** Logs with a lower number have been turned into tables. */
  readonly firstLog: number;
}

/** Tags of a version edit. Source: LevelDB `version_edit.cc`. */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;

/** The files that a manifest names, as far as it can be read: whether it is damaged is LevelDB's to say, and it does. */
export function readManifest(manifest: Buffer): LiveFiles {
  const state = { tables: new Set<number>(), firstLog: 0 };
  for (const record of recordsIn(manifest)) {
    const reader = new VarintReader(record);
    while (!reader.isAtEnd) applyEdit(reader, state);
  }
  return state;
}

function applyEdit(reader: VarintReader, state: { readonly tables: Set<number>; firstLog: number }): void {
  const tag = reader.varint();
  if (tag === COMPARATOR) {
    reader.skipBytes();
  } else if (tag === COMPACT_POINTER) {
    reader.varint();
    reader.skipBytes();
  } else if (tag === DELETED_FILE) {
    reader.varint();
    state.tables.delete(reader.varint());
  } else if (tag === NEW_FILE) {
    reader.varint();
    state.tables.add(reader.varint());
    reader.varint();
    reader.skipBytes();
    reader.skipBytes();
  } else {
    const number = reader.varint();
    if (tag === LOG_NUMBER) state.firstLog = number;
  }
}
