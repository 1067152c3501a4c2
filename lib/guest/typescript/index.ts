/**
 * `kami/guest`: what a tool in TypeScript is made with. The one barrel: it is a package's front door.
 */
export { ask } from "./ask.ts";
export type { FormAnswer } from "./ask.ts";
export { defineTool } from "./define-tool.ts";
export type { Schema, Tool, ToolDefinition } from "./define-tool.ts";
export type { JsonSchema } from "./json-schema.ts";
export { env } from "./env.ts";
export { fetch } from "./fetch.ts";
export { log } from "./log.ts";
export type { LogLevel } from "./log.ts";
