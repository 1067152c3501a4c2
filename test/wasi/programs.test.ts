/**
 * Programs that nobody here wrote, as tools, under limits: CPython 3.11 with its own SQLite, PHP 8.2 and Ruby 3.2, none of them changed. They
 * read their scripts from a granted directory, the input from stdin, and keep files in a directory of their own.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { CallOptions } from "../../lib/runtime.ts";
import { TestRuntime } from "../support/runtime.ts";
import { TemporaryDirectory } from "../support/temporary.ts";
import { installProgram, LIMITS, type Program } from "./programs.ts";

const PYTHON: Program = {
  id: "dev.example.python",
  binary: "python-3.11.3",
  files: "python-3.11.3.tar.gz",
  // CPython imports it at its start: without arguments it would take stdin for its program.
  scripts: {
    "sitecustomize.py":
      "import json, sys\nrequest = json.load(sys.stdin)\nexec(request['code'], {'request': request})\n",
  },
  environment: ["PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED"],
};

const PHP: Program = {
  id: "dev.example.php",
  binary: "php-cgi-8.2.0",
  scripts: {
    "main.php": `<?php
file_put_contents("/sandbox/count", "x", FILE_APPEND);
echo json_encode(["php" => PHP_VERSION, "count" => filesize("/sandbox/count"), "outside" => @file_get_contents("/etc/passwd")]);`,
  },
  environment: ["SCRIPT_FILENAME", "REDIRECT_STATUS", "REQUEST_METHOD"],
};

const RUBY: Program = {
  id: "dev.example.ruby",
  binary: "ruby-3.2.0",
  scripts: {
    "main.rb": `input = STDIN.read
File.write("/sandbox/words", input.scan(/\\w+/).join("\\n"))
outside = begin File.read("/etc/passwd") rescue $!.class.name end
puts [RUBY_VERSION, File.readlines("/sandbox/words", chomp: true), outside].inspect
exit`,
  },
  environment: ["RUBYOPT"],
};

const ENVIRONMENT: ReadonlyMap<string, string> = new Map([
  ["PYTHONPATH", "/tool"],
  ["PYTHONDONTWRITEBYTECODE", "1"],
  // Else its hash tables, and so its fuel, are others each time.
  ["PYTHONHASHSEED", "0"],
  ["SCRIPT_FILENAME", "/tool/main.php"],
  ["REDIRECT_STATUS", "200"],
  ["REQUEST_METHOD", "GET"],
  ["RUBYOPT", "-r/tool/main"],
  ["SECRET", "not granted"],
]);

let kami: TestRuntime;
let place: TemporaryDirectory;
beforeAll(async () => {
  kami = new TestRuntime({ environment: ENVIRONMENT });
  place = new TemporaryDirectory();
  await installProgram(kami, place, PYTHON);
}, 120_000);
afterAll(async () => {
  await kami[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

/** Runs a program of Python. @returns What it printed, or its failure; and what it wrote to stderr. */
async function python(code: string, options: CallOptions = {}, more: object = {}): Promise<string> {
  const result = await kami.runtime.call(PYTHON.id, JSON.stringify({ code, ...more }), options);
  const written = result.captured.pieces.map(({ text }) => text).join("");
  return (result.ok ? result.output : `${result.failure.code}: ${result.failure.message}`) + written;
}

describe("CPython 3.11", () => {
  test("runs code, and the same code with about the same fuel", async () => {
    const code =
      "import hashlib, sys\nprint(sys.version_info[:2], hashlib.sha256(request['text'].encode()).hexdigest()[:8])";
    const input = JSON.stringify({ code, text: "hello" });
    const calls = [await kami.runtime.call(PYTHON.id, input), await kami.runtime.call(PYTHON.id, input)];
    expect(calls.map((call) => call.ok && call.output)).toEqual(["(3, 11) 2cf24dba", "(3, 11) 2cf24dba"]);
    const [first = 0, second = 0] = calls.map(({ usage }) => usage.fuel);
    expect(first).toBeWithin(100_000_000, LIMITS.fuel);
    // In some of forty calls not equal: it reads the clock and random bytes, and does a little more or less by what they are.
    expect(second).toBeWithin(first - 1000, first + 1001);
  });

  test("keeps a SQLite database between calls, in files of its own", async () => {
    const code = `import sqlite3
db = sqlite3.connect("/sandbox/notes.db")
db.execute("create table if not exists notes(text)")
db.executemany("insert into notes values(?)", [(note,) for note in request["notes"]])
db.commit()
print(db.execute("select count(*), max(text) from notes").fetchone())`;
    expect(await python(code, {}, { notes: ["a", "b"] })).toBe("(2, 'b')");
    expect(await python(code, {}, { notes: ["c"] })).toBe("(3, 'c')");
  });

  test("finds the files that it was granted, and no others", async () => {
    const code = `import os
os.makedirs("/sandbox/a/b", exist_ok=True)
with open("/sandbox/a/ü.txt", "w") as file: file.write("x" * 100000)
os.rename("/sandbox/a/ü.txt", "/sandbox/a/b/c.txt")
print(sorted(os.listdir("/sandbox/a")), os.stat("/sandbox/a/b/c.txt").st_size, sorted(os.listdir("/tool")))
for path in ("/", "/etc/passwd", "/sandbox/../../etc/passwd", "/proc/self/environ"):
  try: print(os.listdir(path) if path == "/" else open(path).read())
  except OSError as error: print(type(error).__name__)
for change in (lambda: open("/tool/x", "w"), lambda: os.remove("/tool/sitecustomize.py"), lambda: os.symlink("/etc", "/sandbox/etc")):
  try: change(); print("done")
  except OSError as error: print(type(error).__name__)
print(dict(os.environ))`;
    expect((await python(code)).split("\n")).toEqual([
      "['b'] 100000 ['sitecustomize.py']",
      "FileNotFoundError",
      "FileNotFoundError",
      "PermissionError",
      "FileNotFoundError",
      "OSError",
      "OSError",
      "PermissionError",
      "{'PYTHONPATH': '/tool', 'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONHASHSEED': '0'}",
    ]);
  });

  test.each([
    ["a socket", "import socket\nsocket.socket()", "OSError: [Errno 58] Not supported"],
    ["a thread", "import threading\nthreading.Thread(target=print).start()", "RuntimeError: can't start new thread"],
    ["more files than its quota holds", "open('/sandbox/big', 'wb').write(bytes(70_000_000))", "Quota exceeded"],
  ])("is refused %s", async (_, code, told) => {
    expect(await python(code)).toContain(told);
  });

  test("ends when its fuel, its time or its memory is used up", async () => {
    const endless = "while True: pass";
    expect(await python(endless, { limits: { fuel: 1_000_000_000 } })).toStartWith("FUEL_EXHAUSTED: ");
    expect(await python(endless, { limits: { fuel: 1e12, timeoutMs: 3000 } })).toStartWith("DEADLINE_EXCEEDED: ");
    const hoard =
      "kept = []\ntry:\n  while True: kept.append(bytearray(1 << 20))\nexcept MemoryError:\n  count = len(kept)\n  kept.clear()\n  print(count)";
    expect(Number(await python(hoard))).toBeWithin(200, LIMITS.memoryMb);
  });

  test("ends with its own failures: an exit code, a trap, text that is too long", async () => {
    // The adapter for preview 1 knows `exit` alone, which says no more than that it went wrong.
    expect(await python("import os\nos._exit(3)")).toBe("TOOL_EXIT: The tool ended with exit code 1");
    expect(await python("import os\nos.abort()")).toContain(
      "GUEST_UNREACHABLE: The tool crashed: it executed an unreachable instruction",
    );
    expect(await python("print('x' * 2_000_000)")).toStartWith("RESULT_TOO_LARGE: ");
    expect(await python("raise ValueError('boom')")).toContain("ValueError: boom");
  });
});

describe("PHP 8.2", () => {
  test("answers as a CGI program, and keeps a file", async () => {
    await installProgram(kami, place, PHP);
    for (const count of [1, 2]) {
      const result = await kami.runtime.call(PHP.id, "{}");
      const body = result.ok ? result.output.split("\r\n\r\n")[1] : result.failure.message;
      expect(body).toBe(`{"php":"8.2.0","count":${count},"outside":false}`);
    }
  }, 120_000);
});

describe("Ruby 3.2", () => {
  test("reads its input, and keeps a file", async () => {
    await installProgram(kami, place, RUBY);
    const result = await kami.runtime.call(RUBY.id, '{"text": "two words"}');
    const output = result.ok ? result.output : result.failure.message;
    expect(output).toBe('["3.2.0", ["text", "two", "words"], "Errno::ENOENT"]');
  }, 120_000);
});
