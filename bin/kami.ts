#!/usr/bin/env -S bun --no-env-file --no-install --config=/dev/null --tsconfig-override=/dev/null
/**
 * The `kami` command. The flags above keep Bun from obeying files of the current directory, which may be somebody else's.
 */
import { main } from "../lib/cli/main.ts";
import { version } from "../package.json" with { type: "json" };

await main(process.argv.slice(2), version);
