/**
 * The suites that every {@link Transport} must pass; they need vitest.
 *
 * @module
 */
export { describeTransportConnections } from './connection-contract.ts';
export type {
  ContractTransportOptions,
  PlainEnvironment,
  SecureEnvironment,
  TransportUnderTest,
} from './contract-options.ts';
export { ScriptedBroker } from './scripted-broker.ts';
export { describeTransportSecurity } from './security-contract.ts';
export { describeTransportTraffic } from './traffic-contract.ts';
