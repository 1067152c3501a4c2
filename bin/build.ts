/**
 * `bun run build`: makes the binary, for the machine that it runs on and for the others.
 *
 * `bun run build` makes all, and ends well when it made the one of this machine: the others need Bun's runtime for their platform, which Bun
 * downloads. `bun run build linux-arm64 …` makes these, and fails when one cannot be made. Only linux-x64 is ever run by the tests.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Bundle, bundle, DIST } from "./bundle.ts";

const TARGETS = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64", "windows-x64"] as const;
const HERE = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
/** Nothing that lies in a directory changes how the binary starts. */
const FLAGS = [
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
  "--compile-exec-argv=--no-install --no-addons",
];

const named = process.argv.slice(2).map((name) => (name === "here" ? HERE : name));
for (const name of named) {
  if (TARGETS.some((target) => target === name) || name === HERE) continue;
  console.error(`error: there is no target "${name}"\n  hint: there are ${TARGETS.join(", ")}, and here`);
  process.exit(2);
}
const made = await bundle("binary", "binary.ts", ["worker"]);
let failed = 0;
for (const target of named.length > 0 ? named : TARGETS) {
  const problem = await compile(made, target);
  if (problem === undefined) continue;
  const isNeeded = named.length > 0 || target === HERE;
  if (isNeeded) failed = 1;
  console.error(`${isNeeded ? "error" : "left out"}: ${target} cannot be built: ${problem}`);
}
await rm(made.directory, { recursive: true });
process.exit(failed);

/** Makes one binary. @returns What is in its way. */
async function compile({ directory }: Bundle, target: string): Promise<string | undefined> {
  const outfile = join(DIST, target === HERE ? "kami" : `kami-${target}`);
  const startedAt = performance.now();
  await mkdir(DIST, { recursive: true });
  const names = await readdir(directory);
  const assets = names.flatMap((name) => (name.endsWith(".js") ? [] : ["--asset", name]));
  const words = ["build", "--compile", `--target=bun-${target}`, `--outfile=${outfile}`, ...FLAGS, ...assets];
  const child = Bun.spawn([process.execPath, ...words, "binary.js", "entry.js"], {
    cwd: directory,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [said, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) return explain(target, `${said}${complaint}`);
  const path = target === "windows-x64" ? `${outfile}.exe` : outfile;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${path.slice(DIST.length - "dist".length)}: ${(Bun.file(path).size / 1e6).toFixed(1)} MB, ${seconds} s`);
  return undefined;
}

function explain(target: string, words: string): string {
  const lines = words.split("\n").filter((line) => line.trim() !== "");
  const reason = lines.findLast((line) => /error|fail/i.test(line)) ?? lines.at(-1) ?? "Bun does not say why";
  const runtime = `Bun ${Bun.version}'s runtime for ${target} is needed`;
  return /download|extract|fetch|target|network/i.test(words)
    ? `${runtime}, and could not be downloaded: ${reason}`
    : reason;
}
