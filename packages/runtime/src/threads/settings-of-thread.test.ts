import { expect, it } from 'vitest';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { settingsOfThread } from './settings-of-thread.ts';

it('all threads of a process can be asked at the same place, though each is a static member of its own', () => {
  const given = { applicationId: 'app', groupInstanceId: 'i', applicationServer: 'h:1' };
  const settings = [1, 2].map((thread) => settingsOfThread(given, resolveSettings(given), thread, 2));
  expect(settings).toMatchObject([
    { applicationServer: 'h:1', groupInstanceId: 'i-1' },
    { applicationServer: 'h:1', groupInstanceId: 'i-2' },
  ]);
});
