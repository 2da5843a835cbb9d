import type { SessionRow } from '../../contracts/stores.ts';
import { Entry } from '../../overlay/entry.ts';
import type { KeyIdentity } from '../../overlay/key-codec.ts';
import type { HeldUpdate, Holdable } from '../../overlay/held-updates.ts';
import type { HeldValue } from '../../overlay/value-codec.ts';

/** One session of a key. A removed one stays in its list, without value, until the removal is committed. */
export class Session implements SessionRow, Holdable {
  readonly list: SessionList;
  readonly start: number;
  readonly end: number;
  held: HeldValue | undefined = undefined;
  /** Whether the changelog has a value for it after the last commit. */
  persisted = false;
  /** Whether the next commit has to log it. */
  changed = false;
  update: HeldUpdate | undefined = undefined;
  /** Where its value stands in the batch that is being prepared. */
  valueStart = -1;
  valueEnd = -1;

  constructor(list: SessionList, start: number, end: number) {
    this.list = list;
    this.start = start;
    this.end = end;
  }

  get identity(): KeyIdentity {
    return this.list.identity;
  }

  get timestamp(): number {
    return this.held === undefined ? -1 : this.end;
  }
}

/** What a list without sessions has: most lists never hold more than one or two, and arrays that grow take room for many. */
const NONE: readonly Session[] = [];

/** The sessions of one key that end in one time bucket: one row of the database. */
export class SessionList extends Entry {
  /** Ordered by end, then start; removed ones included. */
  sessions: readonly Session[] = NONE;
  /** How many sessions have updates that are held back. */
  heldBack = 0;
  /** Whether the database has a row for the list. */
  persisted = false;

  /** True when no session of it has a value. */
  get isEmpty(): boolean {
    for (const session of this.sessions) if (session.held !== undefined) return false;
    return true;
  }

  get(start: number, end: number): Session | undefined {
    for (const session of this.sessions) if (session.end === end && session.start === start) return session;
    return undefined;
  }

  add(start: number, end: number): Session {
    const session = new Session(this, start, end);
    const { sessions } = this;
    let at = sessions.length;
    while (at > 0 && isAfter(sessions[at - 1] as Session, session)) at--;
    if (sessions.length === 0) this.sessions = [session];
    else if (sessions.length === 1)
      this.sessions = at === 0 ? [session, sessions[0] as Session] : [sessions[0] as Session, session];
    else (sessions as Session[]).splice(at, 0, session);
    return session;
  }

  drop(session: Session): void {
    if (this.sessions.length === 1) this.sessions = NONE;
    else (this.sessions as Session[]).splice(this.sessions.indexOf(session), 1);
  }

  /** Drops the sessions that have no value. */
  dropRemoved(): void {
    const sessions = this.sessions as Session[];
    let kept = 0;
    for (const session of sessions) if (session.held !== undefined) sessions[kept++] = session;
    if (kept === 0) this.sessions = NONE;
    else sessions.length = kept;
  }
}

function isAfter(a: Session, b: Session): boolean {
  return a.end > b.end || (a.end === b.end && a.start > b.start);
}
