export { type SubscribeInput, subscribe } from "./subscribe.ts";
