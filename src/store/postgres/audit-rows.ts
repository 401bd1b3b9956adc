import type { Tx } from './connection.ts';

/** Writes an audit row into the transaction that it tells of. `by` is a name, or "system". */
export async function writeAudit(
  tx: Tx,
  by: string,
  action: string,
  object: string,
  details: object,
): Promise<void> {
  await tx
    .insertInto('audit')
    .values({ actorId: null, actor: by, action, object, details: JSON.stringify(details) })
    .execute();
}
