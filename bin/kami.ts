#!/usr/bin/env -S bun --no-env-file --no-install --config=/dev/null --tsconfig-override=/dev/null
/**
 * The `kami` command. The flags above keep Bun from obeying files of the current directory, which may be somebody else's.
 */
import { dirname } from "node:path";
import { version } from "../package.json" with { type: "json" };

const { main } = await import("../lib/cli/main.ts").catch((error: unknown) => {
  // Whoever has just cloned the repository shall not have to read a stack.
  if (!String(error).includes("Cannot find package")) throw error;
  const hint = `run: bun install --frozen-lockfile, in ${dirname(import.meta.dir)}`;
  console.error(`error: KAMI's dependencies are not installed\n  hint: ${hint}`);
  process.exit(8);
});

await main(process.argv.slice(2), version);
