/**
 * The suites that every state engine passes; they need vitest and fast-check.
 *
 * @module
 */
export { describeStateEngineContract, type StateEngineHarness } from './state-engine-contract.ts';
export { describeStoreContract } from './store-contract.ts';
