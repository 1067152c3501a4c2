import { describe, expect, test } from "bun:test";
import { TemporaryDirectory } from "../support/temporary.ts";
import { PARTS, readDocument, replacePart } from "./tables.ts";

describe("the parts of the documents that are made from the code", () => {
  test.each([...PARTS])("are up to date in %s: bun test/docs/tables.ts writes them", async (name, make) => {
    using directory = new TemporaryDirectory();
    const written = await readDocument(name);
    const path = directory.join(name);
    await Bun.write(path, replacePart(written, await make()));
    // As the formatter leaves it.
    expect(
      Bun.spawnSync([process.execPath, "fmt", "--no-editorconfig", path], { cwd: `${import.meta.dir}/../..` }).exitCode,
    ).toBe(0);
    expect(await Bun.file(path).text()).toBe(written);
  });
});
