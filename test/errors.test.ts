import t from "tap";
import {
  DatabaseError,
  DaybookError,
  isConnectionLoss,
  isRetriable,
  toDaybookError,
  WrongExpectedVersionError,
} from "../src/index.ts";

const conflict = { stream_id: "account-1", tenant_id: "default", expected: 2, actual: 3 };

t.test("by SQLSTATE, with the DETAIL parsed", async (t) => {
  const cause = Object.assign(new Error("stream account-1 is at version 3"), {
    code: "YD001",
    detail: JSON.stringify({ ...conflict, conflicts: [conflict] }),
    hint: "Read again.",
  });
  const error = toDaybookError(cause);
  t.ok(error instanceof WrongExpectedVersionError && error instanceof DaybookError);
  t.match(error, { code: "YD001", message: cause.message, hint: "Read again.", retriable: true, cause });
  t.strictSame(error instanceof WrongExpectedVersionError && error.conflicts, [
    { streamId: "account-1", tenantId: "default", expected: 2n, actual: 3n },
  ]);
  t.equal(toDaybookError(error), error, "as it is, the second time");
  t.ok(toDaybookError(new Error("wrapped by a driver", { cause })) instanceof WrongExpectedVersionError);
});

t.test("an entry of a batch is no Error yet", async (t) => {
  const ours = toDaybookError({ code: "YD103", message: "m", detail: '{"stream_id": ""}', hint: "h" });
  t.match(ours, { name: "InvalidStreamIdError", detail: { stream_id: "" } });
  const other = toDaybookError({ code: "23514", message: "m", detail: null, hint: null });
  t.ok(other instanceof DatabaseError);
  t.match(other, { code: "23514", message: "m" });
});

t.test("what it does not know", async (t) => {
  const newer = toDaybookError(Object.assign(new Error("m"), { code: "YD777", detail: '{"a": 1}' }));
  t.match(newer, { name: "DaybookError", code: "YD777", detail: { a: 1 } }, "a code of a newer version");
  const strange = toDaybookError(Object.assign(new Error("m"), { code: "YD001", detail: "no JSON" }));
  t.match(strange, { name: "DaybookError", code: "YD001", retriable: true, detail: { text: "no JSON" } });
  const foreign = Object.assign(new Error("m"), { code: "22012" });
  t.equal(toDaybookError(foreign), foreign);
  t.equal(toDaybookError(undefined), undefined);
});

t.test("what can be done again", async (t) => {
  const coded = (code: string) => Object.assign(new Error("m"), { code });
  for (const code of ["40001", "40P01", "55P03"]) t.equal(isRetriable(coded(code)), true, code);
  t.equal(isRetriable(new Error("of a driver", { cause: coded("40001") })), true);
  for (const code of ["YD002", "23505", "08006"]) t.equal(isRetriable(coded(code)), false, code);
  for (const code of ["08006", "57P01", "ECONNRESET"]) t.equal(isConnectionLoss(coded(code)), true, code);
  for (const code of ["YD001", "57014"]) t.equal(isConnectionLoss(coded(code)), false, code);
  t.equal(isRetriable("no error"), false);
});
