import {
  CancelledError,
  CorruptDataError,
  FatalStreamsError,
  ProcessingError,
  RetriableError,
  SettingsError,
  StreamsError,
  TaskCorruptedError,
  TaskMigratedError,
  TopologyError,
  TransactionAbortedError,
} from '@millrace/core';

/** Causes below this depth are left out. */
const CAUSES_MAX = 8;

/** An error as plain data: what the structured clone would lose of one is in here. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: PortableError | undefined;
  /** Own fields that are text or numbers, `code` among them. */
  readonly fields: Readonly<{ [name: string]: string | number }>;
}

const CLASSES = [
  CorruptDataError,
  FatalStreamsError,
  ProcessingError,
  RetriableError,
  SettingsError,
  TaskCorruptedError,
  TaskMigratedError,
  TopologyError,
  TransactionAbortedError,
];
const PROTOTYPES = new Map<string, object>([
  ['CancelledError', CancelledError.prototype],
  ...CLASSES.map(({ name, prototype }): [string, object] => [name, prototype]),
]);

/** Makes data of whatever was thrown. */
export function toPortableError(error: unknown, depth = 0): PortableError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, cause: undefined, fields: {} };
  }
  const { name, message, stack, cause } = error;
  const fields = Object.entries(error).filter(
    (entry): entry is [string, string | number] =>
      (typeof entry[1] === 'string' || typeof entry[1] === 'number') && entry[0] !== 'name',
  );
  return {
    name,
    message,
    stack,
    cause: cause === undefined || depth === CAUSES_MAX ? undefined : toPortableError(cause, depth + 1),
    fields: Object.fromEntries(fields),
  };
}

/** Makes the error again: of its class if that is one of the framework's, with the stack of the thread that it comes from. */
export function fromPortableError({ name, message, stack, cause, fields }: PortableError): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause: fromPortableError(cause) });
  const isOurs = fields.code !== undefined && (PROTOTYPES.has(name) || name.endsWith('StreamsError'));
  Object.setPrototypeOf(error, PROTOTYPES.get(name) ?? (isOurs ? StreamsError.prototype : Error.prototype));
  Object.assign(error, fields, { name });
  Object.defineProperty(error, 'stack', { value: stack ?? `${name}: ${message}`, configurable: true, writable: true });
  return error;
}
