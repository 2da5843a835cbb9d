/**
 * A broker for development and tests that speaks the Kafka protocol: in this process or as one of its own, in memory or in a
 * directory. One node, loopback only, nobody is asked for a password.
 *
 * @module
 */
export type { BrokerComponents } from './broker-components.ts';
export type { Fault, FaultRule, Faults } from './faults/fault-rule.ts';
export type { NodeAddress } from './placement/cluster-view.ts';
export type { CoordinatedKind } from './placement/placement.ts';
export type { BrokerSettings } from './settings/broker-settings.ts';
export { startBroker, type DevBroker } from './start-broker.ts';
