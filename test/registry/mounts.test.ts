import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkMount, resolveMount } from "../../lib/registry/mounts.ts";
import { failureOf, temporaryDirectory } from "./support.ts";

describe("resolveMount()", () => {
  const directory = temporaryDirectory();
  afterAll(() => directory[Symbol.dispose]());
  const place = realpathSync(directory.path);
  const home = join(place, "user/kami");
  for (const name of ["user/kami/tools", "data/inner", "kami2"]) mkdirSync(join(place, name), { recursive: true });
  writeFileSync(join(place, "file"), "");
  const links = { home, up: place, root: "/", proc: "/proc/self/root", data: "data", nowhere: "nowhere", loop: "loop" };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(place, `to-${name}`));
  symlinkSync("to-loop", join(place, "loop"));

  const refused = async (path: string): Promise<string> => {
    const { code, message } = await failureOf(() => resolveMount(path, [home]));
    expect(code).toBe("MOUNT_REFUSED");
    return message.slice(message.indexOf(": ") + 2);
  };

  test.each([
    ["/", "it is the root of the file system"],
    ["//", "it is the root of the file system"],
    ["/proc", "it is the system's, and no place for files"],
    ["/proc/self", "it is the system's, and no place for files"],
    ["/dev", "it is the system's, and no place for files"],
    ["/dev/shm", "it is the system's, and no place for files"],
    ["/sys", "it is the system's, and no place for files"],
    ["/tmp/../proc", "it is the system's, and no place for files"],
    ["/proc/self/root", "it is the root of the file system"],
    ["/nonexistent/x", "there is no such directory"],
    ["/tmp\u0000", expect.stringMatching(/./)],
  ])("refuses %p", async (path, reason) => {
    expect(await refused(path)).toEqual(reason);
  });

  test.each([
    ["user/kami", "it is KAMI's own"],
    ["user/kami/tools", "it is KAMI's own"],
    ["user/kami/tools/..", "it is KAMI's own"],
    ["user", "KAMI's own directory lies in it"],
    ["", "KAMI's own directory lies in it"],
    ["to-home", "it is KAMI's own"],
    ["to-home/tools", "it is KAMI's own"],
    ["to-up", "KAMI's own directory lies in it"],
    ["to-root", "it is the root of the file system"],
    ["to-proc", "it is the root of the file system"],
    ["to-nowhere", "there is no such directory"],
    ["file", "it is no directory"],
    ["file/x", "it is no directory"],
  ])("refuses %p beside a home", async (name, reason) => {
    expect(await refused(join(place, name))).toBe(reason);
  });

  test("refuses a link to itself", async () => {
    expect(await refused(join(place, "to-loop"))).not.toBe("");
  });

  test("gives what a path leads to; a name that only begins like the home's is another one", () => {
    const find = (name: string): string => resolveMount(join(place, name), [home]);
    expect([find("data"), find("to-data/inner"), find("data/inner/.."), find("kami2")]).toEqual([
      join(place, "data"),
      join(place, "data/inner"),
      join(place, "data"),
      join(place, "kami2"),
    ]);
  });

  test("is not done again for a directory that was granted: what it leads to must be itself", async () => {
    expect(() => checkMount(join(place, "data"), [home])).not.toThrow();
    expect((await failureOf(() => checkMount(join(place, "to-data"), [home]))).message).toContain("another place");
  });
});
