import type { Test } from "tap";
import { testDatabase } from "../../support/database.ts";
import type { Run, Scenario } from "../scenarios/scenario.ts";
import { newSeed } from "./random.ts";

/** Runs a scenario at the size of a test; `DAYBOOK_SEED` repeats the choices of an earlier run. */
export async function scenarioTest(t: Test, scenario: Scenario, server?: Run["server"]): Promise<void> {
  const seed = Number(process.env.DAYBOOK_SEED ?? newSeed());
  const size = scenario.sizes.test;
  t.setTimeout(240_000);
  await t.test(`${scenario.summary} (seed ${seed})`, async (t) => {
    const url = server ? server.url : (await testDatabase(t)).url;
    const { violations, facts } = await scenario.run({ url, seed, size, server, note: (line) => t.comment(line) });
    t.comment(
      Object.entries(facts)
        .map(([name, count]) => `${count} ${name}`)
        .join(", "),
    );
    t.same(violations, []);
  });
}
