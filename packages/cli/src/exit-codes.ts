/** What the process says when it ends. */
export const exitCodes = {
  /** Did what was asked; a worker stopped cleanly after a signal. */
  clean: 0,
  /** The application, or its module, failed. */
  failure: 1,
  /** The command line or a setting is wrong. */
  usage: 2,
  /** A second signal came before the clean stop was over: 128 + SIGINT. */
  interrupted: 130,
} as const;
