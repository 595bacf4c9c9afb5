import t from "tap";
import { sealing } from "./scenarios/sealing.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, sealing);
