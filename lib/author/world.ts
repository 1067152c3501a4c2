/**
 * The WIT worlds that tools are built for.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const CONTRACT = fileURLToPath(new URL("../guest/wit/kami-tool.wit", import.meta.url));

/** What is read of `wasi:cli` by tools in JavaScript. */
const WASI_CLI = `package wasi:cli@0.2.12 {
  interface environment {
    get-environment: func() -> list<tuple<string, string>>;
  }
}
`;

/** A world, and the WIT that it is in. */
export interface World {
  readonly wit: string;
  readonly name: string;
}

/** The world of a function `run` that imports nothing. */
export function bareWorld(): World {
  return { wit: readFileSync(CONTRACT, "utf8"), name: "kami:tool/bare-tool" };
}

/**
 * Makes the world of a bundle: it imports what the bundle imports, and nothing else.
 *
 * @param bundle - JavaScript.
 * @param exported - Whether it exports `tool`, with `run` and `describe`, or a bare `run`.
 */
export function worldOf(bundle: string, exported: "tool" | "run"): World {
  const imports = [
    ...(/from\s*"kami:tool\/host@/.test(bundle) ? ["import kami:tool/host@0.1.0;"] : []),
    ...(/from\s*"wasi:cli\/environment@/.test(bundle) ? ["import wasi:cli/environment@0.2.12;"] : []),
  ];
  const run =
    exported === "tool" ? "export kami:tool/tool@0.1.0;" : "export run: func(input: string) -> result<string, string>;";
  const contract = readFileSync(CONTRACT, "utf8").replace(/^package ([^;]+);/m, "package $1 {");
  const wit = `package kami:author;\nworld author {\n  ${[...imports, run].join("\n  ")}\n}\n${contract}}\n${WASI_CLI}`;
  return { wit, name: "author" };
}
