import t from "tap";
import { wakeUps } from "./scenarios/wake-ups.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, wakeUps);
