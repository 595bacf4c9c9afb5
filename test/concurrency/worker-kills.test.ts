import t from "tap";
import { workerKills } from "./scenarios/worker-kills.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, workerKills);
