export { type Advanced, type AdvanceOutcome, advanceProjection } from "./advance-projection.ts";
export {
  createAuditTrail,
  createEventCounts,
  createLastEvents,
  type ReadyMadeInput,
} from "./create-ready-made.ts";
export { defineProjection } from "./define-projection.ts";
export { drainProjection } from "./drain-projection.ts";
export {
  dropProjection,
  dropRebuild,
  pauseProjection,
  resetProjection,
  resumeProjection,
} from "./operate-projection.ts";
export { type ProjectionStatus, projectionStatus } from "./projection-status.ts";
export type {
  BatchProjectionDefinition,
  EachProjectionDefinition,
  Projection,
  ProjectionContext,
  ProjectionDefinition,
  SqlProjectionDefinition,
} from "./projection-types.ts";
export { type Registration, registerProjection } from "./register-projection.ts";
export { type Replacement, rebuildProjection, replaceProjection } from "./replace-projection.ts";
export { readAtLeast, type WaitInput, waitFor } from "./wait-for.ts";
