#!/usr/bin/env bun
/**
 * The `kami` command.
 */
import { main } from "../lib/cli/main.ts";

await main(process.argv.slice(2));
