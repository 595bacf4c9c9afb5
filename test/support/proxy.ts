import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Test } from "tap";

/** A way to a server that can be cut, held up, or fall silent, as networks do. */
export interface Proxy {
  /** The URL through it. */
  readonly url: string;
  /** How many connections go through it now. */
  readonly connections: number;
  /** Keeps back what the server says; connections stay open. New ones too. */
  hold(): void;
  /** What was kept back goes through, and all else. */
  release(): void;
  /** Swallows all that is sent, either way, and lets connections stand: nobody is told. New ones too. */
  blackhole(): void;
  /** Ends all connections; new ones go through. */
  interrupt(): void;
  /** Ends all connections; new ones are refused with an end at once. */
  cut(): void;
  /** New connections go through again. Those that were swallowed stay as they are. */
  heal(): void;
}

/** A TCP proxy in front of the server of a URL. It goes with the test. */
export async function startProxy(t: Test, target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  const sockets = new Set<Socket>();
  let mode: "open" | "blackhole" | "cut" = "open";
  let isHeld = false;

  const listener = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined).on("close", () => sockets.delete(client));
    if (mode === "cut") {
      client.destroy();
      return;
    }
    if (mode === "blackhole") {
      client.resume();
      return;
    }
    const pair = join(client, connect(Number(port), hostname), () => mode === "blackhole");
    pairs.add(pair);
    client.on("close", () => pairs.delete(pair));
    if (isHeld) pair.server.pause();
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const interrupt = () => {
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
  };
  t.teardown(() => {
    interrupt();
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const address = listener.address();
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String(typeof address === "object" && address !== null ? address.port : 0);
  return {
    url: url.href,
    get connections() {
      return pairs.size;
    },
    hold() {
      isHeld = true;
      for (const { server } of pairs) server.pause();
    },
    release() {
      isHeld = false;
      for (const { server } of pairs) server.resume();
    },
    blackhole() {
      mode = "blackhole";
    },
    interrupt,
    cut() {
      mode = "cut";
      interrupt();
    },
    heal() {
      mode = "open";
    },
  };
}

/** A connection through the proxy: both its ends. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

function join(client: Socket, server: Socket, isSwallowed: () => boolean): Pair {
  // once something was swallowed, what follows would be out of place
  let isSilent = false;
  const forward = (from: Socket, to: Socket) => {
    from.setNoDelay(true);
    from.on("data", (data: Buffer) => {
      isSilent ||= isSwallowed();
      if (!isSilent) to.write(data);
    });
    from.on("error", () => to.destroy());
    // the other end is not told of it by a network that swallows
    from.on("close", () => {
      if (!isSilent && !isSwallowed()) to.destroy();
    });
  };
  forward(client, server);
  forward(server, client);
  return { client, server };
}
