import { describeStateEngineContract } from '../contract/state-engine-contract.ts';
import { memoryEngine } from './memory-engine.ts';

describeStateEngineContract('memory', { createEngine: () => memoryEngine() });
