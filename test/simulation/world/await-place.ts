/** A source file of a package, in a stack. */
const SOURCE = /\/packages\/([^/]+)\/src\/(?:.*\/)?([^/]+)\.ts/;
/** The clock and the disk are on top of it. */
const FRAMES = 24;
/** One is often only a way to wait, such as a back-off; two say whose. */
const FUNCTIONS = 2;

/** Where the code that runs now is about to wait: the innermost functions of the packages, awaited ones included. */
export function awaitPlace(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const target: { stack?: string } = {};
  Error.prepareStackTrace = (_, frames) => functionsOf(frames);
  Error.stackTraceLimit = FRAMES;
  try {
    Error.captureStackTrace(target, awaitPlace);
    // Made when it is read for the first time.
    return target.stack ?? '';
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function functionsOf(frames: readonly NodeJS.CallSite[]): string {
  const names: string[] = [];
  for (const frame of frames) {
    const [, inPackage, file] = SOURCE.exec(frame.getFileName() ?? '') ?? [];
    if (file !== undefined) names.push(`${inPackage}/${file} ${frame.getFunctionName() ?? 'anonymous'}`);
    if (names.length === FUNCTIONS) break;
  }
  return names.join(' < ');
}
