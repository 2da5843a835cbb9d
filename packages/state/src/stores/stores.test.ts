import { describeStoreContract } from '../contract/store-contract.ts';
import { memoryEngine } from '../memory/memory-engine.ts';

describeStoreContract('memory', { createEngine: () => memoryEngine() });
