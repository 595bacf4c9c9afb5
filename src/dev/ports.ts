import { createServer } from "node:net";

/** The port to listen on: the preferred one if it is free on 127.0.0.1, else any free one. */
export async function choosePort(preferred: number): Promise<number> {
  return (await listenOnce(preferred)) ?? (await listenOnce(0)) ?? preferred;
}

/** Whether a port of 127.0.0.1 can be listened on at the moment. */
export async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== null;
}

function listenOnce(port: number): Promise<number | null> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(null));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = server.address();
      const given = typeof address === "object" && address ? address.port : port;
      server.close(() => done(given));
    });
  });
}
