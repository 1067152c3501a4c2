#!/usr/bin/env bun
/**
 * The `kami` command.
 */
import { main } from "../lib/cli/main.ts";
import { version } from "../package.json" with { type: "json" };

await main(process.argv.slice(2), version);
