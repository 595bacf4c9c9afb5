export { defineRoute, type Route, type RouteDefinition } from "./define-route.ts";
export { type DrainRouteOptions, drainRoute } from "./drain-route.ts";
export { dropRoute, pauseRoute, resetRoute, resumeRoute } from "./operate-route.ts";
export { type PublishInput, publish } from "./publish.ts";
export { registerRoute } from "./register-route.ts";
