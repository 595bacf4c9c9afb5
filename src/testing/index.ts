export { createMemoryStore, type MemoryStore } from "./memory-store.ts";
export { type GivenEvent, type ProjectionScenario, testProjection } from "./test-projection.ts";
