/**
 * A process that, as one call, fills a directory under a quota as far as it goes, and takes things away in between. Its arguments are the directory, the
 * quota's bytes and files, and its number.
 */
import { FileGuest, mountOf, CREATE, READ, WRITE } from "../wasi/file-guest.ts";

const [directory = "", bytes = "", files = "", number = ""] = process.argv.slice(2);
const quota = { bytes: Number(bytes), files: Number(files) };
const guest = new FileGuest(mountOf(directory, { quota }));
const { root } = guest;
let random = Number(number) + 1;
const below = (limit: number): number => {
  random = (random * 48_271) % 2_147_483_647;
  return random % limit;
};
process.stdout.write("ready\n");
for await (const _ of process.stdin) break;
const codes = new Map<string, number>();
for (let n = 0; n < 1500; n += 1) {
  const code = change();
  codes.set(code, (codes.get(code) ?? 0) + 1);
}
guest[Symbol.dispose]();
process.stdout.write(JSON.stringify(Object.fromEntries(codes)));
process.exit(0);

function change(): string {
  const [name, other] = [`f${below(8)}`, `f${below(8)}`];
  const what = below(10);
  if (what < 5) return write(name);
  if (what < 6) return guest.code(root, "unlink-file-at", name);
  if (what < 7) return guest.code(root, "rename-at", name, root, other);
  if (what < 8) return guest.code(root, "link-at", 0, name, root, other);
  if (what < 9) return guest.code(root, "create-directory-at", `d${below(4)}`);
  return guest.code(root, "remove-directory-at", `d${below(4)}`);
}

function write(name: string): string {
  try {
    using file = guest.open(root, name, { flags: READ | WRITE, open: CREATE });
    if (below(4) === 0) return guest.code(file, "set-size", BigInt(below(2000)));
    return guest.code(file, "write", new Uint8Array(below(1000)), BigInt(below(1000)));
  } catch (error) {
    return String(Object(error).payload);
  }
}
