import t from "tap";
import { testCluster } from "../support/cluster.ts";
import { projectionKills } from "./scenarios/projection-kills.ts";
import { install } from "./support/install.ts";
import { scenarioTest } from "./support/scenario-test.ts";

const server = await testCluster(t);
await install(server.url);
await scenarioTest(t, projectionKills, server);
