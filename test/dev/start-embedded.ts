/*
 * A program that uses an embedded server, for the tests to start, kill or let exit: it prints what it has been given and
 * then does what its second argument says.
 */
import { startEmbedded } from "../../src/dev/embedded.ts";
import { EmbeddedServerError } from "../../src/dev/embedded-server-error.ts";

const [dataDir = ".daybook", then = "stop"] = process.argv.slice(2);
try {
  const server = await startEmbedded({ dataDir, durable: false });
  const { url, port, pid, shared, notices } = server;
  console.log(JSON.stringify({ url, port, pid, shared, notices }));
  if (then === "stop") await server.stop();
  if (then === "wait") setInterval(() => undefined, 1000);
  // "exit": nothing more is done, and the process ends by itself.
} catch (error) {
  if (!(error instanceof EmbeddedServerError)) throw error;
  console.log(JSON.stringify({ error: error.message, hint: error.hint }));
  process.exitCode = 1;
}
