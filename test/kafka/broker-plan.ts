import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './free-ports.ts';
import { defaultKafkaVersion, kafkaJars } from './kafka-jars.ts';
import { createKeyStore } from './key-store.ts';
import { type BrokerPorts, type BrokerUser, serverProperties } from './server-properties.ts';

const run = promisify(execFile);
const user: BrokerUser = { username: 'millrace', password: 'millrace-secret' };

/** What can be asked of a broker. */
export interface BrokerOptions {
  /** Port of the clear-text listener on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Keeps the data found in `directory`. Default: start empty. */
  readonly keep?: boolean;
  /** Adds TLS, SASL and SASL over TLS listeners, with a certificate and users. Default false. */
  readonly secure?: boolean;
  /** Broker settings that override ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Java heap in MiB. Default 512. */
  readonly heapMiB?: number;
  /** Default: what the environment variable `KAFKA_VERSION` names, else 4.3.1. */
  readonly version?: string;
}

/** How clients reach the secured listeners of a broker. */
export interface SecureListeners {
  /** TLS without authentication. */
  readonly ssl: string;
  readonly saslPlaintext: string;
  readonly saslSsl: string;
  /** PEM file with the certificate to trust; it names `localhost` and 127.0.0.1. */
  readonly caFile: string;
  /** The user that PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 accept. */
  readonly user: BrokerUser;
}

/** A broker that is configured and formatted, and can be started any number of times. */
export interface BrokerPlan {
  readonly directory: string;
  readonly port: number;
  readonly secure: SecureListeners | undefined;
  /** Program and arguments. */
  readonly command: readonly string[];
}

/** Writes configuration and, where there is none, empty storage into `directory`. */
export async function prepareBroker(directory: string, options: BrokerOptions): Promise<BrokerPlan> {
  const jars = await kafkaJars(options.version ?? (process.env.KAFKA_VERSION || defaultKafkaVersion));
  const dataDir = join(directory, 'data');
  if (options.keep !== true) await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true });
  const ports = await portsFor(options);
  const keys = options.secure === true ? await createKeyStore(directory) : undefined;
  const settings = { ports, dataDir, users: keys === undefined ? [] : [user], extra: options.settings ?? {} };
  const properties = join(directory, 'server.properties');
  await writeFile(properties, serverProperties(keys === undefined ? settings : { ...settings, keyStore: keys.keyStore }));
  await formatStorage(jars, properties, keys !== undefined);
  const heap = `${options.heapMiB ?? 512}m`;
  const command = [java(), `-Xms${heap}`, `-Xmx${heap}`, '-XX:+UseG1GC', ...classPath(jars, 'warn'), 'kafka.Kafka', properties];
  return { directory, port: ports.plaintext, secure: keys && secureListeners(ports, keys.caFile), command };
}

async function portsFor(options: BrokerOptions): Promise<BrokerPorts> {
  const [free, controller, ssl, saslPlaintext, saslSsl] = (await freePorts(5)) as [number, number, number, number, number];
  const ports = { plaintext: options.port ?? free, controller };
  return options.secure === true ? { ...ports, ssl, saslPlaintext, saslSsl } : ports;
}

/** Does nothing to storage that has been formatted before. */
async function formatStorage(jars: string, properties: string, isSecure: boolean): Promise<void> {
  const clusterId = randomClusterId();
  const credential = `[name=${user.username},password=${user.password}]`;
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=${credential}`]);
  const tool = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', clusterId, '-c', properties];
  await run(java(), ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...classPath(jars, 'error'), ...tool, ...(isSecure ? scram : [])]);
}

function secureListeners(ports: BrokerPorts, caFile: string): SecureListeners {
  const address = (port: number | undefined) => `127.0.0.1:${port}`;
  return { ssl: address(ports.ssl), saslPlaintext: address(ports.saslPlaintext), saslSsl: address(ports.saslSsl), caFile, user };
}

function classPath(jars: string, logLevel: 'warn' | 'error'): string[] {
  return ['-cp', join(jars, '*'), `-Dorg.slf4j.simpleLogger.defaultLogLevel=${logLevel}`];
}

function java(): string {
  return process.env.JAVA || 'java';
}

/** Sixteen bytes in base64url, never beginning with `-`, which the storage tool would take for an option. */
function randomClusterId(): string {
  const id = randomBytes(16);
  id.writeUInt8(id.readUInt8() & 0x7f);
  return id.toString('base64url');
}
