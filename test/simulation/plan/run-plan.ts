import type { BrokerSettings } from '@millrace/broker';
import type { StreamsSettings } from '@millrace/runtime';
import type { Ledger } from '../../oracle/ledger/ledger.ts';
import { type Fault, planCrashAtStep, planFaults } from './fault-plan.ts';
import { Choices, randomOf } from './seeded-choices.ts';

/** Everything about a run that its seed decides beforehand. */
export interface RunPlan {
  readonly seed: string;
  readonly ledger: Ledger;
  readonly workers: number;
  readonly broker: BrokerSettings;
  readonly settings: Omit<StreamsSettings, 'applicationId'>;
  readonly isStatic: boolean;
  readonly latencyMaxMs: number;
  /** How long records are written and faults happen, in virtual time. */
  readonly faultsMs: number;
  /** Records of the input, apart from the barriers. */
  readonly records: number;
  readonly faults: readonly Fault[];
}

/** @param only numbers of the faults that happen; default: all */
export function planRun(seed: string, only?: ReadonlySet<number>): RunPlan {
  const choices = new Choices(randomOf(seed, 'plan'));
  const guarantee = choices.chance(0.75) ? 'exactly_once_v2' : 'at_least_once';
  const partitions = choices.between(2, 3);
  const ledger: Ledger = { applicationId: 'sim-app', prefix: 'sim-', guarantee, partitions, cached: choices.chance(0.5) };
  const workers = choices.between(2, 4);
  const faultsMs = choices.between(5, 14) * 1000;
  const broker = planBroker(choices);
  const options = { workers, faultsMs, nodes: broker.nodes ?? 1, partitions };
  const faults = planFaults(new Choices(randomOf(seed, 'faults')), options);
  const steps = new Choices(randomOf(seed, 'steps'));
  for (let count = steps.between(0, 2); count > 0; count--) faults.push(planCrashAtStep(steps, options, faults.length));
  return {
    seed,
    ledger,
    workers,
    broker,
    settings: planSettings(choices, guarantee),
    isStatic: choices.chance(0.25),
    latencyMaxMs: choices.oneOf([1, 5, 40]),
    faultsMs,
    records: choices.between(80, 240),
    faults: faults.filter(({ number }) => only?.has(number) ?? true),
  };
}

function planBroker(choices: Choices): BrokerSettings {
  return {
    listen: false,
    clusterId: 'simulated',
    nodes: choices.between(1, 3),
    transactionVersion: choices.oneOf([1, 2]),
    autoCreateTopics: false,
    markerDelayMaxMs: choices.oneOf([0, 20, 300]),
    groupInitialRebalanceDelayMs: choices.oneOf([0, 500]),
    transactionAbortIntervalMs: 1000,
  };
}

function planSettings(choices: Choices, guarantee: Ledger['guarantee']): RunPlan['settings'] {
  return {
    guarantee,
    commitIntervalMs: choices.oneOf([50, 100, 400]),
    sessionTimeoutMs: 6000,
    heartbeatIntervalMs: choices.oneOf([500, 1500]),
    rebalanceTimeoutMs: choices.oneOf([8000, 15_000]),
    transactionTimeoutMs: choices.oneOf([4000, 10_000]),
    requestTimeoutMs: choices.oneOf([1500, 5000]),
    numStandbyReplicas: choices.between(0, 1),
    acceptableRecoveryLag: choices.oneOf([0, 20, 10_000]),
    probingRebalanceIntervalMs: 4000,
    cacheMaxBytes: choices.oneOf([0, 10_485_760]),
    bufferedBytesPerPartition: choices.oneOf([1024, 524_288]),
    repartitionPurgeIntervalMs: choices.oneOf([500, 5000]),
    asyncDrainMs: choices.oneOf([0, 2000]),
    shutdownTimeoutMs: 20_000,
    // What found no partner has to come out with the barrier, which is a single record.
    emitIntervalMs: 0,
  };
}
