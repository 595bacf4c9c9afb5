import t from "tap";
import { testCluster } from "../support/cluster.ts";
import { kill } from "./scenarios/kill.ts";
import { install } from "./support/install.ts";
import { scenarioTest } from "./support/scenario-test.ts";

const server = await testCluster(t, { max_prepared_transactions: 20 });
await install(server.url);
await scenarioTest(t, kill, server);
