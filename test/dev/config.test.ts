import t from "tap";
import { ConfigError, config } from "../../src/config.ts";
import { databaseServer } from "../../src/dev/database-server.ts";
import { ask, temporaryDirectory } from "./support.ts";

const url = "postgres://somebody@example.test/store";

t.test("nothing is set: the embedded server, PostgreSQL 18, in .daybook", async (t) => {
  t.strictSame(config({}), {
    databaseUrl: undefined,
    directUrl: undefined,
    tenant: undefined,
    poolSize: 10,
    rabbitmqUrl: undefined,
    embedded: { dataDir: ".daybook", version: 18, port: undefined },
  });
  t.strictSame(config({ DATABASE_URL: "", DAYBOOK_POOL_SIZE: "" }), config({}), "empty is absent");
});

t.test("every variable", async (t) => {
  t.strictSame(
    config({
      DATABASE_URL: url,
      DAYBOOK_TENANT: "acme",
      DAYBOOK_POOL_SIZE: "25",
      DAYBOOK_DATA_DIR: "/elsewhere",
      DAYBOOK_PG_VERSION: "15",
      DAYBOOK_PG_PORT: "6000",
      RABBITMQ_URL: "amqp://broker",
    }),
    {
      databaseUrl: url,
      directUrl: url,
      tenant: "acme",
      poolSize: 25,
      rabbitmqUrl: "amqp://broker",
      embedded: { dataDir: "/elsewhere", version: 15, port: 6000 },
    },
  );
  t.match(config({ DATABASE_URL: url, DAYBOOK_DIRECT_URL: "postgresql://direct" }), {
    databaseUrl: url,
    directUrl: "postgresql://direct",
  });
});

t.test("what cannot be understood is named, all of it, with what it must be", async (t) => {
  const environment = {
    DATABASE_URL: "mysql://somewhere",
    DAYBOOK_POOL_SIZE: "many",
    DAYBOOK_PG_VERSION: "14",
    DAYBOOK_PG_PORT: "70000",
    RABBITMQ_URL: "http://broker",
  };
  t.throws(() => config(environment), ConfigError);
  t.throws(() => config(environment), {
    message: [
      "DATABASE_URL: must begin with postgres:// or postgresql://",
      "DAYBOOK_POOL_SIZE: must be a whole number from 1 to 1000",
      "DAYBOOK_PG_VERSION: must be 15, 16, 17 or 18",
      "DAYBOOK_PG_PORT: must be a whole number from 1 to 65535",
      "RABBITMQ_URL: must begin with amqp:// or amqps://",
    ].join("\n"),
  });
});

t.test("DATABASE_URL takes everything elsewhere; without it a server is started", async (t) => {
  const given = await databaseServer(config({ DATABASE_URL: url }));
  t.match(given, { url, directUrl: url, embedded: null });
  await given.stop();
  const started = await databaseServer(config({ DAYBOOK_DATA_DIR: temporaryDirectory(t) }));
  t.equal(started.url, started.embedded?.url);
  t.equal(await ask(started.url, "select current_database()"), "daybook");
  await started.stop();
  await t.rejects(ask(started.url, "select 1"));
});
