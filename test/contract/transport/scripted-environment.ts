import { type PlainEnvironment, ScriptedBroker } from '@millrace/client/contract';

/** A broker in this process: these suites need no Kafka. The same ones run against a real one in `test/integration/transport`. */
export async function scriptedEnvironment(): Promise<PlainEnvironment> {
  const broker = await ScriptedBroker.start();
  return { address: `127.0.0.1:${broker.port}`, close: () => broker.close() };
}
