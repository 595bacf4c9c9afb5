import { z } from "zod";
import type { Db } from "../db.ts";

/** What a version of a projection needs: SQL, or the code of a revision. */
interface VersionNeeds {
  readonly takes: "event" | "batch" | "typescript";
  readonly revision: number;
}

/** The versions of projections, as they were when they were last asked for. */
export interface Versions {
  /** That of a projection, or of `<name>@<version>`; undefined where there is none. */
  of(name: string): Promise<VersionNeeds | undefined>;
  /** What is known of one, or of all, is asked for anew. */
  forget(name?: string): void;
}

const rows = z.array(
  z.object({ consumer: z.string(), takes: z.enum(["event", "batch", "typescript"]), revision: z.int() }),
);

export function createVersions(db: Db): Versions {
  let known = new Map<string, VersionNeeds>();
  return {
    async of(name) {
      if (!known.has(name)) {
        const found = await db.query(
          "select v.consumer, v.takes, v.revision from daybook.projection_versions v where v.stage <> 'retired'",
        );
        known = new Map(rows.parse(found).map(({ consumer, ...needs }) => [consumer, needs]));
      }
      return known.get(name);
    },
    forget(name) {
      if (name === undefined) known.clear();
      else {
        known.delete(name);
        // the live one may be another now
        known.delete(name.replace(/@.*$/, ""));
      }
    },
  };
}
