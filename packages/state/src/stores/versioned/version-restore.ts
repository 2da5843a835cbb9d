import { RAW_KEYS } from '../../overlay/key-codec.ts';
import { RestorePins } from '../../overlay/restore-pins.ts';
import { RAW_VALUES } from '../../overlay/value-codec.ts';
import type { WriteBatch } from '../../write-batch.ts';
import { VersionHistory } from './version-history.ts';
import type { VersionList } from './version-list.ts';
import { VersionRows, type VersionRowsOptions } from './version-rows.ts';

/**
 * Puts the records of a changelog again, as bytes. None is refused: what was logged was accepted, whatever has been restored
 * before it.
 */
export class VersionRestore {
  readonly #rows: VersionRows<string, Buffer>;
  readonly #history: VersionHistory<string, Buffer>;
  readonly #pins: RestorePins<VersionList>;
  readonly #changed = new Set<VersionList>();
  #batch: WriteBatch | undefined;

  constructor(options: Omit<VersionRowsOptions<string, Buffer>, 'keys' | 'values'>) {
    this.#rows = new VersionRows({ ...options, keys: RAW_KEYS, values: RAW_VALUES });
    this.#pins = new RestorePins(this.#rows.overlay);
    this.#history = new VersionHistory(this.#rows, options.retention, (list) => {
      this.#pins.pin(list, this.#batch as WriteBatch);
      this.#changed.add(list);
    });
  }

  apply(
    batch: WriteBatch,
    timestamp: number,
    source: Buffer,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.#batch = batch;
    this.#pins.release();
    const value = valueStart < 0 ? undefined : RAW_VALUES.holdAt(source, valueStart, valueEnd);
    this.#history.put(RAW_KEYS.identityAt(source, keyStart, keyEnd), value, timestamp);
    for (const list of this.#changed) this.#rows.put(list, batch);
    this.#changed.clear();
  }
}
