import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startKafka } from './broker.ts';
import { freePorts } from './free-ports.ts';
import { stopProcess } from './stop-process.ts';

const home = fileURLToPath(new URL('../../.cache/kafka/', import.meta.url));
const help = `Starts and stops single-node Kafka brokers for development.

  npm run kafka:start -- [--port 9092] [--secure] [--keep] [--set key=value]...
  npm run kafka:stop -- [--port 9092]

start  prints the address when the broker serves clients; it goes on running after the command.
       KAFKA_VERSION=4.2.0 in the environment starts another version; it is fetched through Maven the first time
  --port    clear-text port on 127.0.0.1; default: a free one
  --secure  adds TLS and SASL listeners
  --keep    keeps the data of the last broker on that port
  --set     a broker setting that overrides ours; may be repeated
stop   stops the broker on that port, or all that were started from this checkout
`;

interface StartArguments {
  readonly port: string | undefined;
  readonly secure: boolean;
  readonly keep: boolean;
  readonly set: readonly string[];
}

async function start({ port: asked, secure, keep, set }: StartArguments): Promise<void> {
  const port = asked === undefined ? ((await freePorts(1))[0] as number) : Number(asked);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`--port ${asked} is not a port`);
  const directory = join(home, String(port));
  await mkdir(directory, { recursive: true });
  const settings = Object.fromEntries(set.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
  const broker = await startKafka({ port, directory, keep, secure, settings, detached: true });
  await writeFile(join(directory, 'broker.pid'), `${broker.pid()}\n`);
  if (broker.secure !== undefined) console.log(JSON.stringify(broker.secure, undefined, 2));
  console.log(broker.brokers);
}

async function stop(port: string | undefined): Promise<void> {
  const ports = port === undefined ? await readdir(home).catch(() => []) : [port];
  for (const one of ports) {
    const pidFile = join(home, one, 'broker.pid');
    const text = await readFile(pidFile, 'utf8').catch(() => undefined);
    const wasRunning = text !== undefined && (await stopProcess(Number(text), join(home, one, 'server.properties')));
    await rm(pidFile, { force: true });
    if (wasRunning) console.log(`stopped the broker on 127.0.0.1:${one}`);
  }
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string' },
    secure: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    set: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) console.log(help);
  else if (positionals[0] === 'start') await start({ ...values, port: values.port });
  else if (positionals[0] === 'stop') await stop(values.port);
  else throw new Error(`expected start or stop\n\n${help}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
