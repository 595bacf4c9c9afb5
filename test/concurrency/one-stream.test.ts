import t from "tap";
import { oneStream } from "./scenarios/one-stream.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, oneStream);
