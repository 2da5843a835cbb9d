import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A network may fail for a moment, and Maven may wait half an hour for an answer that never comes. It goes on where it stopped. */
const ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 600_000;
const PAUSE_MS = 5000;

/** The Kafka that tests run against when nothing else is asked for. */
export const defaultKafkaVersion = '4.3.1';

/**
 * Folder with the jars of a Kafka broker, its tools and Kafka Streams, fetched through Maven once per version and kept outside the repository.
 *
 * `MILLRACE_KAFKA_LIBS` names a folder that has them already, such as `libs/` of a Kafka distribution;
 * `MILLRACE_CACHE` moves the cache from `~/.cache/millrace`; `MVN` names another Maven.
 */
export async function kafkaJars(version: string): Promise<string> {
  const given = process.env.MILLRACE_KAFKA_LIBS;
  if (given !== undefined && given !== '') return given;
  const cache = process.env.MILLRACE_CACHE || join(homedir(), '.cache', 'millrace');
  const folder = join(cache, `kafka-and-streams-${version}`);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(join(cache, 'fetching-'));
  try {
    await fetchWithMaven(version, unfinished);
    await moveIntoPlace(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

async function fetchWithMaven(version: string, folder: string): Promise<void> {
  const pom = join(folder, 'pom.xml');
  await writeFile(pom, pomOf(version));
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  const libs = join(folder, 'libs');
  try {
    await runMaven(['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${libs}`]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Error(
        'Kafka cannot be fetched: no mvn found. Install Maven, or set MILLRACE_KAFKA_LIBS to the libs folder of a Kafka ' +
          'distribution, or KAFKA_BROKERS to a broker that runs already.',
      );
    }
    const output = (error as { stdout?: string }).stdout ?? '';
    throw new Error(`Maven could not fetch Kafka ${version}: ${output.trim().split('\n').slice(-10).join('\n')}`, {
      cause: error,
    });
  }
  const jars = await readdir(libs);
  if (!jars.some((name) => name.startsWith('kafka_2.13-'))) throw new Error(`Maven ended well, but ${libs} holds no broker`);
}

async function runMaven(args: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await run(process.env.MVN || 'mvn', [...args], { maxBuffer: 1 << 24, timeout: ATTEMPT_TIMEOUT_MS });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || (error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** Two processes may fetch at once; whoever is second finds the folder there and throws its own copy away. */
async function moveIntoPlace(unfinished: string, folder: string): Promise<void> {
  try {
    await rename(join(unfinished, 'libs'), folder);
  } catch (error) {
    if (!(await exists(folder))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function pomOf(version: string): string {
  const dependency = (group: string, artifact: string, of: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${of}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${dependency('org.apache.kafka', 'kafka_2.13', version)}
    ${dependency('org.apache.kafka', 'kafka-tools', version)}
    ${dependency('org.apache.kafka', 'kafka-streams', version)}
    ${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
  </dependencies>
</project>
`;
}
