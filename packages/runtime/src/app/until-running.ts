import type { RunningApplication } from './running-application.ts';

/** Resolves when the application is `running`; rejects when it ends before. */
export async function untilRunning(application: Omit<RunningApplication, 'running'>): Promise<void> {
  if (application.state === 'running') return;
  await new Promise<void>((resolve, reject) => {
    const remove = application.onStateChange((now) => {
      if (now === 'running') resolve();
      else if (now === 'error' || now === 'not-running') reject(application.failure ?? new Error(`the application is ${now}`));
      else return;
      remove();
    });
  });
}
