import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { defaultKafkaVersion, kafkaJars } from '../../kafka/kafka-jars.ts';

export interface ProgramOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 180_000;

/** Runs a program to its end; it is killed when it takes longer than three minutes. */
export async function runProgram(command: string, options: readonly string[], input = ''): Promise<ProgramOutput> {
  const child = spawn(command, options, { stdio: 'pipe', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** Runs a class of the Kafka distribution. */
export async function runJava(mainClass: string, options: readonly string[], input = ''): Promise<ProgramOutput> {
  const jars = await kafkaJars(defaultKafkaVersion);
  const flags = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return runProgram(process.env.JAVA || 'java', [...flags, '-cp', join(jars, '*'), mainClass, ...options], input);
}

/** Whether a program is there. In CI none may be missing. */
export function isInstalled(command: string, option: string): boolean {
  const isThere = spawnSync(command, [option]).error === undefined;
  if (!isThere && process.env.CI === 'true') throw new Error(`${command} is not installed, and CI=true`);
  return isThere;
}
