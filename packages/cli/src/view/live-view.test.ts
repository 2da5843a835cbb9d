import { describe, expect, it } from 'vitest';
import { FakeHost } from '../host/fake-host.ts';
import { LiveView } from './live-view.ts';

describe('LiveView', () => {
  it('draws twice a second, keeps log lines above, and leaves the last picture', () => {
    const host = new FakeHost();
    let picture = 0;
    const view = new LiveView({ clock: host.clock, screen: host.openScreen(), render: () => `picture ${++picture}` });
    view.persist('before');
    view.start();
    host.clock.advance(1000);
    view.persist('in between');
    view.stop();
    host.clock.advance(5000);
    view.stop();
    expect(host.drawings).toEqual([
      '> before',
      'picture 1',
      'picture 2',
      'picture 3',
      '> in between',
      'picture 4',
      'picture 5',
      'done',
    ]);
  });
});
