/**
 * Names of the topics that an application makes for itself, exactly Kafka Streams': `<applicationId>-<name>`.
 */
export function internalTopicName(applicationId: string, name: string): string {
  return `${applicationId}-${name}`;
}

/** `<applicationId>-<store>-changelog`. */
export function changelogTopicName(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/**
 * The transactional id of a worker. The process id in it is a UUID, so that ids of an application whose name begins with this
 * application's name are never mistaken for its own.
 */
export function transactionalIdOf(applicationId: string, processId: string, worker: number): string {
  return `${applicationId}-${processId}-${worker}`;
}

/** True when the id was made by `transactionalIdOf` for this application. */
export function isOwnTransactionalId(applicationId: string, transactionalId: string): boolean {
  return processIdIn(applicationId, transactionalId) !== undefined;
}

/** The process in an id that was made by `transactionalIdOf` for this application; `undefined` in any other. */
export function processIdIn(applicationId: string, transactionalId: string): string | undefined {
  const prefix = `${applicationId}-`;
  if (!transactionalId.startsWith(prefix)) return undefined;
  return /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+$/.exec(transactionalId.slice(prefix.length))?.[1];
}
