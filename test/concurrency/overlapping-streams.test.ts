import t from "tap";
import { overlappingStreams } from "./scenarios/overlapping-streams.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, overlappingStreams);
