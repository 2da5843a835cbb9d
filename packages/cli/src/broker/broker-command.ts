import { resolve } from 'node:path';
import { type BrokerSettings, startBroker } from '@millrace/broker';
import { createPinoLogger } from '../log/pino-logger.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host/host.ts';
import { stopOnSignal } from '../run/stop-on-signal.ts';
import { UsageError } from '../usage-error.ts';

/** Where Kafka listens unless told otherwise. */
const DEFAULT_PORT = 9092;

/** Options as commander gives them. */
export interface BrokerOptions {
  readonly port?: string;
  readonly dataDir?: string;
  readonly memory?: boolean;
  readonly transactionVersion?: '1' | '2';
}

/**
 * `millrace broker`: a Kafka for development, until a signal comes.
 *
 * @throws UsageError when options contradict each other
 */
export async function brokerCommand(options: BrokerOptions, host: Host): Promise<number> {
  const settings = brokerSettings(options, host);
  const logger = createPinoLogger('warn', host.clock, (line) => host.stderr.write(line));
  const stop = new Promise<void>((done) => stopOnSignal(host, () => done()));
  const broker = await startBroker({ ...settings, clock: host.clock, logger });
  const keeps = settings.dataDirectory === undefined ? 'keeps nothing' : `keeps its data in ${settings.dataDirectory}`;
  host.stdout.write(`Kafka broker for development only on ${broker.bootstrapServers}; ${keeps}. Ctrl-C stops it.\n`);
  await stop;
  await broker.stop();
  return exitCodes.clean;
}

function brokerSettings({ port, dataDir, memory, transactionVersion }: BrokerOptions, host: Host): BrokerSettings {
  if (memory === true && dataDir !== undefined) throw new UsageError('--memory and --data-dir contradict each other: give one');
  return {
    port: port === undefined ? DEFAULT_PORT : Number(port),
    transactionVersion: transactionVersion === '2' ? 2 : 1,
    ...(dataDir === undefined ? {} : { dataDirectory: resolve(host.workingDirectory, dataDir) }),
  };
}
