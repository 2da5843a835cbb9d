/** The command was given something that it cannot use; the message says what, and what would do. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
