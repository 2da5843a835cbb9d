import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const IMAGE_BYTES = 64 * 1024 * 1024;

function run(command: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * An ext4 file system in a file, which becomes read-only under the hands of whoever has files open there, as Linux does when it
 * finds the disk damaged. One that is in use cannot be remounted so.
 */
export class FailingFileSystem implements Disposable {
  readonly path: string;
  readonly #image: string;
  readonly #trigger: string;

  private constructor(root: string) {
    this.path = join(root, 'mounted');
    this.#image = join(root, 'image');
    mkdirSync(this.path);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, IMAGE_BYTES);
    run('mkfs.ext4', '-q', '-F', this.#image);
    run('mount', '-o', 'loop,errors=remount-ro', this.#image, this.path);
    const device = run('findmnt', '-no', 'SOURCE', this.path) ?? '';
    this.#trigger = join('/sys/fs/ext4', basename(device), 'trigger_fs_error');
  }

  /** Undefined where that needs rights or a kernel that are not there. */
  static create(): FailingFileSystem | undefined {
    const made = new FailingFileSystem(mkdtempSync(join(tmpdir(), 'millrace-fs-')));
    if (existsSync(made.#trigger)) return made;
    made[Symbol.dispose]();
    return undefined;
  }

  /** From now on nothing can be written. */
  fail(): void {
    writeFileSync(this.#trigger, '1');
  }

  [Symbol.dispose](): void {
    // Who looks at every new file system may still do so.
    run('umount', this.path) ?? run('umount', '--lazy', this.path);
    rmSync(join(this.path, '..'), { recursive: true, force: true });
  }
}
