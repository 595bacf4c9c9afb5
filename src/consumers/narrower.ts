import { z } from "zod";
import type { Db } from "../db.ts";
import { EffectError, type PerformContext } from "./types.ts";

/** Narrows the transaction of a batch to tenants, one after the other. */
export interface Narrower extends Pick<PerformContext, "narrow" | "onMayHaveSet"> {
  /**
   * Says what the transaction was found to be narrowed to when the batch ended.
   *
   * @throws EffectError where a call may have run in another tenant than its own
   */
  check(found: string | null): void;
}

const found = z.tuple([z.object({ was: z.string().nullable() })]);

// what it was is read before it is set
const narrowText = `
  select w.was, set_config('daybook.tenant', $1, true)
    from (select current_setting('daybook.tenant', true) as was offset 0) w`;

/**
 * A statement is sent only where the tenant changes. What calls have left behind is looked at with it, or at the end:
 * where one of several may have run in the wrong tenant all of them are rolled back, to be done again in smaller batches.
 * A call that is alone in its batch may leave what it wants: nothing comes after it.
 */
export function narrower(tx: Db): Narrower {
  let current: string | null | undefined = null;
  let calls = 0;
  const check = (was: string | null) => {
    if (current === undefined || calls < 2 || (was ?? "") === (current ?? "")) return;
    const problem = `a call has left its transaction narrowed to tenant ${JSON.stringify(was)}, and the next one ran in it`;
    throw new EffectError(undefined, new Error(`${problem}; set daybook.tenant back where you change it`));
  };
  return {
    check,
    async narrow(tenantId) {
      if (tenantId === current) {
        calls += 1;
        return;
      }
      const rows = await tx.query(narrowText, [tenantId ?? ""], { name: "daybook_narrow" });
      check(found.parse(rows)[0].was);
      current = tenantId;
      calls = 1;
    },
    onMayHaveSet() {
      current = undefined;
    },
  };
}
