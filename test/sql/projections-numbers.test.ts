import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance, advanceAll, append, create, createFunctions, status } from "./projecting.ts";
import { column, connect, refused, value } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const admin = await connect(t, await roleLogin(database, { roles: ["daybook_admin"], tenants: ["*"] }));
await createFunctions(owner);
await append(owner, "a", 5);
const schemas = () =>
  column(owner, "select nspname from pg_namespace where nspname like 'daybook\\_journal\\_%' order by 1");

t.test("the number of a version is never used again", async (t) => {
  await create(admin, "journal", "journal", ", categories => '{a}'");
  const rebuild = () => value(admin, "select daybook.rebuild_projection('journal')");
  const giveUp = () => value(admin, "select daybook.drop_rebuild('journal')");
  t.equal(await rebuild(), 2);
  await giveUp();
  t.equal(await rebuild(), 3, "after one that was given up");
  await refused(t, "YD601", "what was to go on with that one finds nothing", () => advance(owner, "journal@2"));
  await giveUp();
  t.equal(await rebuild(), 4);
  await advanceAll(owner, "journal");
  t.equal((await advanceAll(owner, "journal@4")).at(-1), "switched");
  t.same(await schemas(), ["daybook_journal_4"]);
  t.equal(await rebuild(), 5, "after one that was switched to");
  await giveUp();
  t.equal(await rebuild(), 6);
  await owner.query("select daybook.drop_projection('journal')");
  await create(admin, "journal", "journal");
  t.equal((await status(owner, "journal")).version, 1, "another projection of that name has numbers of its own");
});
