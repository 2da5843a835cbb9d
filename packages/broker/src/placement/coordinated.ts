import { ErrorCode } from '@millrace/wire';
import { errorResponse } from '../server/error-response.ts';
import type { Handler } from '../server/handler.ts';
import type { CoordinatedKind, Placement } from './placement.ts';

/** Where requests name what they are about: one group or id, or several. */
interface CoordinatedRequest {
  readonly groupId?: string;
  readonly groups?: readonly (string | { readonly groupId: string })[];
  readonly groupsNames?: readonly string[];
  readonly transactionalId?: string;
  readonly transactionalIds?: readonly string[];
}

/** The handler, on the node that coordinates what the request is about; on the others NOT_COORDINATOR. */
export function coordinated(kind: CoordinatedKind, placement: Placement, handler: Handler): Handler {
  return {
    ...handler,
    handle(request, call, reply) {
      const isOurs = keysOf(kind, request as CoordinatedRequest).every(
        (key) => placement.coordinatorOf(kind, key) === call.nodeId,
      );
      if (isOurs) handler.handle(request, call, reply);
      else reply(errorResponse(handler.api, request, ErrorCode.NOT_COORDINATOR));
    },
  };
}

function keysOf(kind: CoordinatedKind, request: CoordinatedRequest): string[] {
  if (kind === 'transaction') return [...listOf(request.transactionalId), ...(request.transactionalIds ?? [])];
  const groups = request.groups?.map((group) => (typeof group === 'string' ? group : group.groupId)) ?? [];
  return [...listOf(request.groupId), ...groups, ...(request.groupsNames ?? [])];
}

/** A request that names nothing may be asked of any node; the field is empty in versions that use a list instead. */
function listOf(key: string | undefined): string[] {
  return key === undefined || key === '' ? [] : [key];
}
