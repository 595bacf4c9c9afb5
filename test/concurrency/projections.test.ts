import t from "tap";
import { projections } from "./scenarios/projections.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, projections);
