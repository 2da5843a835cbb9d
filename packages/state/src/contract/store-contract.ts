import { afterEach, describe } from 'vitest';
import { describeClosingStores } from './closing-suite.ts';
import { describeBuffers } from './buffer-suite.ts';
import { describeDuplicateWindowStores } from './duplicate-window-suite.ts';
import { describeExpiringStores } from './expiring-suite.ts';
import { describeJoinStores } from './join-suite.ts';
import { describeKeyValueStores } from './key-value-suite.ts';
import { describeOuterJoinStores } from './outer-join-suite.ts';
import { describeReaders } from './reader-suite.ts';
import { describeSessionStores } from './session-suite.ts';
import type { StateEngineHarness } from './state-engine-contract.ts';
import { describeVersionedStores } from './versioned-suite.ts';
import { describeWindowStores } from './window-suite.ts';

/** Each model opens hundreds of databases, each of which syncs several files: a disk may take 100 ms for each. */
const TIMEOUT_MS = 600_000;

/**
 * The suite that every kind of store passes over every engine: compared with naive models under random commands, commits,
 * rollbacks, restarts, and restores from what the store itself has written to its changelog.
 *
 * @example describeStoreContract('memory', { createEngine: () => memoryEngine() });
 */
export function describeStoreContract(name: string, harness: StateEngineHarness): void {
  describe(`stores over ${name}`, { timeout: TIMEOUT_MS }, () => {
    afterEach(async () => harness.cleanUp?.());
    describeKeyValueStores(harness);
    describeExpiringStores(harness);
    describeVersionedStores(harness);
    describeWindowStores(harness);
    describeDuplicateWindowStores(harness);
    describeSessionStores(harness);
    describeClosingStores(harness);
    describeJoinStores(harness);
    describeOuterJoinStores(harness);
    describeBuffers(harness);
    describeReaders(harness);
  });
}
