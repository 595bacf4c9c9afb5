import t from "tap";
import { testDatabase } from "../support/database.ts";
import { advanceAll, append, create, createFunctions } from "./projecting.ts";
import { connect, refused, value } from "./support.ts";

/** Waiting for a position where nothing that the projection follows lies before it: its rows are those as of it already. */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const other = await connect(t, database.url);
await createFunctions(owner);
await append(owner, "a", 3);
await create(owner, "sums", "sums", ", types => '{Added}'");
await advanceAll(owner, "sums");
const last = async () => Number(await value(owner, "select last_value from daybook.positions"));
const wait = (position: number) => value(owner, "select daybook.wait_for('sums', $1, '20 milliseconds')", [position]);

t.test("events that it does not follow are not waited for", async (t) => {
  await append(owner, "a", 2, "{}", "Other");
  t.equal(Number(await wait(await last())), await last());
  await append(owner, "a", 1);
  await append(owner, "a", 2, "{}", "Other");
  await refused(t, "YD606", "one that it follows lies before it", async () => wait(await last()));
  await advanceAll(owner, "sums");
  t.equal(Number(await wait(await last())), await last());
});

t.test("nor is anything in flight before it, that it might follow", async (t) => {
  await other.query("begin; select daybook.append_event('b-1', 'Added')");
  await append(owner, "a", 1, "{}", "Other");
  await refused(t, "YD606", "an append sits uncommitted", async () => wait(await last()));
  await other.query("rollback");
  t.equal(Number(await wait(await last())), await last());
});
