import t from "tap";
import { gapFree } from "./scenarios/gap-free.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, gapFree);
