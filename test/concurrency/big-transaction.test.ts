import t from "tap";
import { bigTransaction } from "./scenarios/big-transaction.ts";
import { scenarioTest } from "./support/scenario-test.ts";

await scenarioTest(t, bigTransaction);
