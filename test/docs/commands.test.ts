/**
 * Whether what the documents tell the reader to type works: blocks marked `sh run` are run, every `kami` line is one that the command line takes,
 * links lead somewhere, and the systemd unit is one.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkArguments } from "../../lib/cli/arguments.ts";
import { loadCommand } from "../../lib/cli/program.ts";
import { TemporaryDirectory } from "../cli/support/directory.ts";

const ROOT = join(import.meta.dir, "../..");
const DOCUMENTS = [
  "README.md",
  "bench/README.md",
  "fixtures/README.md",
  ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`),
].filter((name) => name.endsWith(".md"));
const TEXTS = new Map<string, string>();
for (const name of DOCUMENTS) TEXTS.set(name, await Bun.file(join(ROOT, name)).text());

/** Programs that the documents name beside `kami`, and why this test does not run them. */
const OTHERS: Readonly<Record<string, string>> = {
  "bun add": "installs into the user's home; test/e2e/package.test.ts does it in one of its own",
  "bun bench/": "measures for minutes; test/bench.test.ts runs the suites",
  "bun bin/kami.ts": "checked as kami",
  "bun fixtures/build.ts": "test/fixtures.test.ts builds",
  "bun install": "asks a registry",
  "bun run bench": "measures for minutes; test/bench.test.ts runs the suites",
  "bun run build": "test/e2e/binary.test.ts",
  "bun run fuzz": "runs for minutes; test/fuzz/slice.test.ts runs a slice",
  "bun run ok": "the gates: they run this test",
  "bun run pack": "test/e2e/package.test.ts",
  "bun run soak": "runs for minutes; test/soak/slice.test.ts runs a slice",
  "bun run try": "the CI's own step",
  "bun run bench:guests": "needs compilers; test/bench-guests.test.ts",
  "bun bench/guests/build.ts": "needs compilers; test/bench-guests.test.ts",
  "bun test": "runs other tests",
  bunx: "test/e2e/package.test.ts",
  cd: "no program",
  claude: "a client of somebody else's",
  docker: "no container can be started where the tests run",
  install: "writes into the user's home",
  npx: "asks a registry",
};

interface Line {
  readonly document: string;
  readonly text: string;
}

function blocks(info: string): readonly Line[] {
  return [...TEXTS].flatMap(([document, text]) =>
    Array.from(text.matchAll(/^```(.*)\n([^]*?)^```$/gm), ([, given = "", body = ""]) => ({ given, body }))
      .filter(({ given }) => given === info || (info === "sh" && given === "sh run"))
      .flatMap(({ body }) => body.split("\n"))
      .filter((line) => line.trim() !== "" && !line.startsWith("#"))
      .map((line) => ({ document, text: line.trim() })),
  );
}

/** The words of a line of a shell, as far as documents use it. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [found, single, double] of line.matchAll(/'([^']*)'|"([^"]*)"|(?:\\.|[^\s'"])+/g)) {
    if (/^(?:#|\||>|<|&&|;)/.test(found) && !/^<[\w-]+>$/.test(found)) break;
    words.push(single ?? double ?? found);
  }
  return words;
}

const LINES = blocks("sh").map(({ document, text }) => ({ document, text, words: wordsOf(text) }));
/** What follows `kami`, however it is started. */
const KAMI_LINES = LINES.flatMap(({ document, words }) => {
  const start = words[0] === "bun" && words[1] === "bin/kami.ts" ? 2 : words[0] === "kami" ? 1 : 0;
  return start === 0 ? [] : [[document, words.slice(start).join(" "), words.slice(start)] as const];
});

describe("the documents", () => {
  test.each(KAMI_LINES)("%s: kami %s is a line that kami takes", async (_, __, words) => {
    const [name = "", ...rest] = words;
    if (name.startsWith("--")) expect(words).toEqual(["--version", "--json"]);
    else expect(checkArguments(rest, await loadCommand(name)).help).toBe(false);
  });

  test("name no other program than those that there is a reason for", () => {
    const strange = LINES.filter(({ words }) => words[0] !== "kami").filter(
      ({ text }) => !Object.keys(OTHERS).some((each) => text.startsWith(each)),
    );
    expect(strange.map(({ document, text }) => `${document}: ${text}`)).toEqual([]);
  });

  test("have commands that do what they say, where a block is marked so", async () => {
    using temporary = new TemporaryDirectory();
    const lines = blocks("sh run");
    expect(lines.length).toBeGreaterThan(5);
    for (const { document, text } of lines) {
      const words = wordsOf(text);
      const child = Bun.spawn([process.execPath, join(ROOT, "bin/kami.ts"), ...words.slice(1)], {
        cwd: temporary.path,
        env: { PATH: process.env.PATH, HOME: temporary.path },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      });
      const [stderr, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
      expect([document, text, exitCode, exitCode === 0 ? "" : stderr]).toEqual([document, text, 0, ""]);
    }
  }, 120_000);

  test("have links that lead somewhere", () => {
    const broken = [...TEXTS].flatMap(([document, text]) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link = ""]) => link)
        .filter((link) => !/^(?:https?|mailto):/.test(link) && !leads(document, link))
        .map((link) => `${document}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test.skipIf(Bun.which("systemd-analyze") === null)("have a systemd unit that systemd takes", async () => {
    using temporary = new TemporaryDirectory();
    const unit = /```ini\n([^]*?)```/.exec(TEXTS.get("docs/DEPLOYMENT.md") ?? "")?.[1] ?? "";
    const path = temporary.write("kami.service", unit.replace("/usr/local/bin/kami", "/bin/true"));
    const { exitCode, stderr } = Bun.spawnSync(["systemd-analyze", "verify", "--man=no", path], { stderr: "pipe" });
    const about = stderr
      .toString()
      .split("\n")
      .filter((line) => line.includes("kami.service"));
    expect([exitCode, about]).toEqual([0, []]);
  });

  test("have a Dockerfile that runs without rights, from what the build makes", () => {
    const dockerfile = /```dockerfile\n([^]*?)```/.exec(TEXTS.get("docs/DEPLOYMENT.md") ?? "")?.[1] ?? "";
    for (const line of ["USER 10001:10001", "COPY --chmod=0755 dist/kami /usr/local/bin/kami"])
      expect(dockerfile).toContain(line);
    const started = LINES.find(({ text }) => text.startsWith("docker run --detach"))?.text;
    for (const flag of ["--read-only", "--cap-drop ALL", "no-new-privileges", "--memory 2g", "--pids-limit 256"])
      expect(started).toContain(flag);
  });
});

function leads(document: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? document : join(dirname(document), file);
  if (!existsSync(join(ROOT, path))) return false;
  if (anchor === undefined) return true;
  const headings = [...(TEXTS.get(path) ?? "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));
  return headings.includes(anchor);
}

/** As GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
