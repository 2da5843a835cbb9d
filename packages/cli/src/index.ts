/**
 * The `millrace` command: `main` is the program, `nodeHost` the machine that it runs on.
 *
 * @module
 */
export type { Host, HostSignal, OutputStream, Screen } from './host/host.ts';
export { nodeHost } from './host/node-host.ts';
export { main } from './main.ts';
