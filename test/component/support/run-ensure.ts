/**
 * Ensures the artifact of a component in a home, and prints what it came to: `run-ensure.ts <home> <component> <digest>`.
 */
import { ArtifactCache } from "../../../lib/component/cache.ts";

const [, , home = "", path = "", digest = ""] = Bun.argv;
let problems = 0;
let reads = 0;
const cache = new ArtifactCache(home, () => {
  problems += 1;
});
const artifact = await cache.ensure(digest, async () => {
  reads += 1;
  return await Bun.file(path).bytes();
});
const sizes = artifact.modules.map(({ bytes }) => bytes.length);
console.log(JSON.stringify({ digest: artifact.digest, sizes, problems, reads }));
