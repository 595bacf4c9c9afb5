export {
  type BatchDefinition,
  defineHandler,
  type EachDefinition,
  type Handler,
  type HandlerContext,
  type HandlerDefinition,
  type StartFrom,
  type SubscribesTo,
} from "./define-handler.ts";
export { drainHandler } from "./drain-handler.ts";
export {
  advanceHandler,
  dropHandler,
  handlerPosition,
  pauseHandler,
  replayHandler,
  resetHandler,
  resumeHandler,
} from "./operate-handler.ts";
export { registerHandler } from "./register-handler.ts";
