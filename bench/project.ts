import { appendRows } from "./project/appends.ts";
import { foldRows } from "./project/fold.ts";
import { latencyRows } from "./project/latency.ts";
import { memoryRows } from "./project/memory.ts";
import { rebuildRows } from "./project/rebuild.ts";
import { switchRows } from "./project/switch.ts";
import { benchServer } from "./support/bench-server.ts";
import { benchOptions } from "./support/options.ts";
import { type Row, report } from "./support/report.ts";

const options = benchOptions(`
npm run bench -- project

Projections: rebuilds over a million events, set-based, one event at a time, and by the same logic in TypeScript; what an
inline one and ten that match nothing cost those who append; from commit to a reader; the pause at the switch; the memory
of a rebuild of one and of ten million events; the state of a stream of 10,000 events. A database for each part.
`);

const parts = [rebuildRows, appendRows, latencyRows, switchRows, memoryRows, foldRows];

const server = await benchServer();
const rows: Row[] = [];
for (const part of parts) rows.push(...(await part(server, options)));
await server.stop();
await report("project", server.words, rows, options);
