import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Whether this package runs from its sources. */
export const isSource = import.meta.url.endsWith('.ts');

/**
 * Starts a thread of Node.
 *
 * Before Node 22.18 a loader for TypeScript that the process was started with (`--import tsx`) is not at work in its threads:
 * there it is registered by the thread's first lines.
 *
 * @param isTypeScript whether the thread loads TypeScript
 */
export function startWorker(entry: URL, isTypeScript: boolean, options: WorkerOptions): Worker {
  const { features } = process as { readonly features: { readonly typescript?: unknown } };
  if (!isTypeScript || features.typescript) return new Worker(entry, options);
  const code = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(entry.href)})))`;
  return new Worker(code, { ...options, eval: true });
}
