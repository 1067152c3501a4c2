/**
 * KAMI's own code that runs in Workers and in processes of its own, and where it is: nobody imports it. All of it is an entry point of the
 * build, and named from here: Bun takes what a build does not contain from the current directory, which may be anybody's.
 */

/** Set by bin/bundle.ts and bin/build.ts; in the sources there is none. */
declare const KAMI_BUILD: "package" | "binary";

/** How this KAMI was shipped. */
export type Shipment = "sources" | "package" | "binary";

/** How this KAMI was shipped. */
export const SHIPMENT: Shipment = typeof KAMI_BUILD === "undefined" ? "sources" : KAMI_BUILD;

/** What code is run for. */
export type Role = "worker" | "executor" | "compiler" | "driver";

/** What the binary starts itself as. */
export type OwnProcess = "executor" | "compiler";

/** In the sources, from here; the build puts each beside all others, under its bare name. */
const FILES: Readonly<Record<Role, string>> = {
  worker: "./worker/entry.ts",
  executor: "./executor/process-entry.ts",
  compiler: "./component/compile-child.ts",
  driver: "./author/driver.ts",
};

/** Finds the code of a role. */
export function codeOf(role: Role): URL {
  const file = FILES[role];
  return new URL(SHIPMENT === "sources" ? file : file.replace(/^.*\/(.*)\.ts$/, "./$1.js"), import.meta.url);
}

/** What the first argument of the binary begins with when it is started in a role: no command is called so. */
const ROLE_PREFIX = "internal:";

/** Writes the argument that starts the binary in the role of a script. */
export function roleWord(script: string): string {
  return `${ROLE_PREFIX}${script.replace(/^.*[/\\]/, "")}`;
}

/**
 * Finds the role that the binary is to take.
 *
 * @param word - Its first argument.
 * @param environment - The process's: KAMI's own processes have one that nobody else's have, so that no accident starts one.
 */
export function roleOf(
  word: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): OwnProcess | undefined {
  const role = (["executor", "compiler"] as const).find((each) => word === roleWord(codeOf(each).pathname));
  if (role === undefined) return undefined;
  const given = Object.keys(environment).toSorted();
  return given.join() === Object.keys(CHILD_ENVIRONMENTS[role]).toSorted().join() ? role : undefined;
}

/**
 * What there is of an environment in the binary's processes. It starts without Bun's flags, one of which has to be a variable then: they do not
 * outlive their parent. The other lets linear memories grow in place: the engine has eight such, unless told so before it starts. Nothing of it
 * is the user's.
 */
export const CHILD_ENVIRONMENTS: Readonly<Record<OwnProcess, Readonly<Record<string, string>>>> = {
  executor: environmentOf({ BUN_JSC_maxNumWasmFastMemories: "4096" }),
  compiler: environmentOf({}),
};

function environmentOf(own: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return SHIPMENT === "binary" ? { ...own, BUN_FEATURE_FLAG_NO_ORPHANS: "1" } : own;
}
