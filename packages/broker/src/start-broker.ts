import { SettingsError } from '@millrace/core';
import { type BrokerComponents, resolveComponents, type ResolvedComponents } from './broker-components.ts';
import type { DevBroker } from './dev-broker.ts';
import { RunningBroker } from './running-broker.ts';
import type { BrokerSettings, ResolvedBrokerSettings } from './settings/broker-settings.ts';
import { resolveBrokerSettings } from './settings/resolve-broker-settings.ts';
import type { BrokerStorage } from './storage/broker-storage.ts';
import { DirectoryStorage } from './storage/directory-storage.ts';
import { MemoryDisk } from './storage/memory-disk.ts';

/**
 * Starts a broker that speaks the Kafka protocol, in this process, on a loopback port or without any. For development and tests
 * only: it asks nobody who he is, and all its nodes are this process.
 *
 * @throws SettingsError INVALID_SETTINGS
 * @throws FatalStreamsError ADDRESS_UNAVAILABLE, DIRECTORY_IN_USE, CORRUPT_SEGMENT
 * @example
 * await using broker = await startBroker();
 * const app = await start(topology, { applicationId: 'test', brokers: broker.bootstrapServers.split(',') });
 */
export async function startBroker(options: BrokerSettings & BrokerComponents = {}): Promise<DevBroker> {
  const { clock, random, logger, disk, ...given } = options;
  const settings = resolveBrokerSettings(given);
  const components = resolveComponents({ clock, random, logger, disk });
  const broker = openBroker(settings, components);
  try {
    await broker.open();
    return broker;
  } catch (error) {
    await broker.stop();
    throw error;
  }
}

function openBroker(settings: ResolvedBrokerSettings, components: ResolvedComponents): RunningBroker {
  const storage = openStorage(settings, components);
  try {
    return new RunningBroker(settings, components, storage);
  } catch (error) {
    storage.close();
    throw error;
  }
}

function openStorage({ dataDirectory, fsync }: ResolvedBrokerSettings, { disk }: ResolvedComponents): BrokerStorage {
  if (dataDirectory === undefined) return (disk ?? new MemoryDisk()).open(fsync);
  if (disk === undefined) return new DirectoryStorage(dataDirectory, fsync);
  throw new SettingsError('INVALID_SETTINGS', 'the broker cannot start: give either "dataDirectory" or "disk", not both');
}
