import { formatEndpoint, parseEndpoint } from '@millrace/client';
import type { ResolvedSettings } from './settings.ts';

/** The longest name of a host has 253 characters. It travels with every assignment. */
const LENGTH_MAX = 260;

/** What is wrong with the place at which a process says that it can be asked. */
export function applicationServerProblems({ applicationServer }: Pick<ResolvedSettings, 'applicationServer'>): string[] {
  if (applicationServer === undefined || isEndpoint(applicationServer)) return [];
  return [
    `applicationServer: ${JSON.stringify(applicationServer)}; give host:port as others reach this process, such as "worker-1:8080" or "[fd00::7]:8080"`,
  ];
}

/** True for `host:port` as it is compared: one place has one name. */
export function isEndpoint(text: unknown): boolean {
  if (typeof text !== 'string' || text.length > LENGTH_MAX) return false;
  const endpoint = parseEndpoint(text);
  return endpoint !== undefined && formatEndpoint(endpoint) === text;
}
