import { type BrokerSettings, startBroker } from '@millrace/broker';

/** The development broker in a process of its own; its settings are the first argument. Ends with its parent. */
const broker = await startBroker(JSON.parse(process.argv[2] ?? '{}') as BrokerSettings);
process.stdout.write(`${broker.port}\n`);
process.on('SIGTERM', () => void broker.stop().then(() => process.exit()));
process.stdin.resume().on('end', () => process.exit());
