/**
 * Test support: runs a file of the WebAssembly specification's test suite in several worlds side by side, and compares them with each other
 * and with what the suite expects.
 */
import type { SpecCommand, SpecFile, SpecSuite, SpecValue } from "../../fixtures/spec/archive.ts";
import { Failure } from "../../lib/errors.ts";
import type { Compiled } from "./meter-host.ts";
import { matches } from "./spec-values.ts";
import { World } from "./spec-world.ts";

const MUCH = 1e12;
const LARGE_SLICE = 2 ** 30;
const SMALL_SLICE = 97;

/** How the meter ends a guest, that of a call too deep as well. */
const REFUSED = "RuntimeError: Unreachable code should not be executed";

/** One thing that was not as it should be, or that nothing can be said about. */
export interface Note {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** What running files has shown. */
export class Report {
  /** Modules that ran unmetered and metered. */
  modules = 0;
  /** Comparisons by the kind of command. */
  readonly compared: Map<string, number> = new Map();
  /** Files whose fuel is the same with large slices as with small ones. */
  sameFuel = 0;
  /** What was not compared, and why. */
  readonly skipped: Note[] = [];
  /** Where the engine itself does not do what the suite expects; metered it does the same. */
  readonly deviations: Note[] = [];
  /** Where metered is not as unmetered. */
  readonly differences: Note[] = [];

  /** All comparisons. */
  get total(): number {
    return [...this.compared.values()].reduce((sum, count) => sum + count, 0);
  }
}

/** Runs one file. */
export function runFile(suite: SpecSuite, file: SpecFile, report: Report): void {
  new FileRun(suite, file, report).run();
}

/** One file in three worlds: unmetered, metered with large slices, metered with small ones. */
class FileRun {
  readonly #suite: SpecSuite;
  readonly #file: SpecFile;
  readonly #report: Report;
  readonly #large = new World({ fuel: MUCH, slice: LARGE_SLICE });
  readonly #small = new World({ fuel: MUCH, slice: SMALL_SLICE });
  readonly #plain = new World();
  /** Instances and definitions that could not be made, and why; "" is the last instance. */
  readonly #missing = new Map<string, string>();
  /** Modules by name, for `module_instance`. */
  readonly #definitions = new Map<string, number>();
  #hasExhausted = false;

  constructor(suite: SpecSuite, file: SpecFile, report: Report) {
    this.#suite = suite;
    this.#file = file;
    this.#report = report;
  }

  run(): void {
    for (const command of this.#file.commands) {
      const reason = this.#run(command);
      if (reason !== undefined) this.#note(this.#report.skipped, command, reason);
    }
    const [large, small] = [this.#large.used, this.#small.used];
    for (const world of this.#worlds) world[Symbol.dispose]();
    if (this.#hasExhausted) return;
    if (large === small) this.#report.sameFuel += 1;
    else this.#report.differences.push({ file: this.#file.name, line: 0, what: `fuel ${small} instead of ${large}` });
  }

  /** @returns Why nothing was compared. */
  #run(command: SpecCommand): string | undefined {
    const { type, action, binary, name } = command;
    if (type === "module_definition") return this.#define(command);
    if (type === "register") return this.#register(command);
    if (type === "assert_invalid" || type === "assert_malformed") return this.#refuse(command);
    if (action !== undefined) return this.#act(command, action);
    if (type !== "module_instance") return this.#instantiate(command, binary, name);
    return this.#instantiate(command, this.#definitions.get(command.module ?? ""), command.instance);
  }

  #define({ name, binary }: SpecCommand): string | undefined {
    if (binary === undefined) return "text";
    if (name !== undefined) this.#definitions.set(name, binary);
    return undefined;
  }

  #register({ name, as = "" }: SpecCommand): string | undefined {
    const reason = this.#missing.get(name ?? "");
    this.#missing.delete(`import ${as}`);
    if (reason === undefined) for (const world of this.#worlds) world.register(name, as);
    else this.#missing.set(`import ${as}`, reason);
    return reason;
  }

  #instantiate(command: SpecCommand, binary: number | undefined, name: string | undefined): string | undefined {
    const isKept = command.type.startsWith("module");
    const reason = binary === undefined ? "text" : this.#tryInstantiate(command, binary, name);
    if (!isKept) return reason;
    for (const key of ["", ...(name === undefined ? [] : [name])]) {
      if (reason === undefined) this.#missing.delete(key);
      else this.#missing.set(key, reason);
    }
    return reason;
  }

  #tryInstantiate(command: SpecCommand, binary: number, name: string | undefined): string | undefined {
    const compiled = this.#compile(command, binary);
    if (typeof compiled === "string") return compiled;
    const imports = WebAssembly.Module.imports(compiled[0].module);
    const absent = imports.map(({ module }) => this.#missing.get(`import ${module}`)).find((why) => why !== undefined);
    if (absent !== undefined) return absent;
    const outcomes = this.#worlds.map((world, index) =>
      outcomeOf(() => (world.instantiate(compiled[index] ?? compiled[0], name), "")),
    );
    this.#report.modules += command.type.startsWith("module") ? 1 : 0;
    this.#compare(command, outcomes);
    return command.type.startsWith("module") && outcomes[0] !== "returned" ? outcomes[0] : undefined;
  }

  /** Compiles a module unmetered and metered, or says why that cannot be. */
  #compile(command: SpecCommand, binary: number): readonly [plain: Compiled, ...metered: Compiled[]] | string {
    const bytes = this.#suite.modules[binary] ?? new Uint8Array();
    let plain: Compiled;
    try {
      plain = this.#plain.compile(bytes);
    } catch (error) {
      return `engine: ${messageOf(error)}`;
    }
    try {
      return [plain, this.#large.compile(bytes), this.#small.compile(bytes)];
    } catch (error) {
      if (error instanceof Failure) return `meter: ${error.code}: ${error.message}`;
      // The meter took it, and what it made of it is not valid.
      this.#note(this.#report.differences, command, messageOf(error));
      return "not valid metered";
    }
  }

  /** A module that must not be accepted: metered never when it is not unmetered. */
  #refuse(command: SpecCommand): string | undefined {
    if (command.binary === undefined) return "text";
    const bytes = this.#suite.modules[command.binary] ?? new Uint8Array();
    const plain = outcomeOf(() => (this.#plain.compile(bytes), "accepted"));
    const metered = outcomeOf(() => (this.#large.compile(bytes), "accepted"));
    this.#count(command);
    const isAccepted = plain === "returned accepted";
    if (isAccepted) this.#note(this.#report.deviations, command, `accepted, metered ${metered}`);
    const isRefused = isAccepted || /^(?:CompileError:|Failure )/.test(metered);
    if (!isRefused) this.#note(this.#report.differences, command, `${metered} instead of ${plain}`);
    return undefined;
  }

  #act(command: SpecCommand, action: NonNullable<SpecCommand["action"]>): string | undefined {
    const reason = this.#missing.get(action.module ?? "");
    if (reason !== undefined) return reason;
    const outcomes = this.#worlds.map((world) => outcomeOf(() => world.act(action, command.expected)));
    this.#compare(command, outcomes);
    // What a guest took of its stack when it trapped stays taken: no call goes on behind a trap.
    if (outcomes[0] === "exhausted") for (const world of this.#worlds) world.renew(action.module);
    return undefined;
  }

  #compare(command: SpecCommand, outcomes: readonly string[]): void {
    const [plain = "", ...metered] = outcomes;
    this.#count(command);
    if (plain === "exhausted") this.#hasExhausted = true;
    const isAsExpected = isExpected(command, plain);
    if (!isAsExpected) this.#note(this.#report.deviations, command, plain);
    for (const outcome of metered) {
      if (outcome === plain || (plain === "exhausted" && outcome === REFUSED)) continue;
      // Which NaN comes out may differ from one tier of the engine to the next.
      if (isAsExpected && command.type === "assert_return" && isExpected(command, outcome)) continue;
      this.#note(this.#report.differences, command, `${outcome} instead of ${plain}`);
    }
  }

  get #worlds(): readonly World[] {
    return [this.#plain, this.#large, this.#small];
  }

  #count({ type }: SpecCommand): void {
    this.#report.compared.set(type, (this.#report.compared.get(type) ?? 0) + 1);
  }

  #note(list: Note[], { line, type }: SpecCommand, what: string): void {
    list.push({ file: this.#file.name, line, what: `${type}: ${what}` });
  }
}

function outcomeOf(act: () => string): string {
  try {
    return `returned ${act()}`.trimEnd();
  } catch (error) {
    return messageOf(error);
  }
}

/** Names how something ended: what it says of itself, without the engine's guess at the source. */
function messageOf(error: unknown): string {
  if (error instanceof RangeError) return "exhausted";
  if (error instanceof WebAssembly.Exception) return "exception";
  if (error instanceof Failure) return `Failure ${error.code}`;
  if (!(error instanceof Error)) return `threw ${String(error)}`;
  if (error.message.startsWith("no ")) throw error;
  return `${error.name}: ${error.message.replace(/ \(evaluating .*$/s, "")}`;
}

type Check = (outcome: string, command: SpecCommand) => boolean;

const isReturned: Check = (outcome) => outcome.startsWith("returned");
const isTrapped: Check = (outcome, { text = "" }) => trapMatches(text, outcome);

/** What the suite expects of each kind of command that gives an outcome. */
const CHECKS: Readonly<Partial<Record<SpecCommand["type"], Check>>> = {
  module: isReturned,
  module_instance: isReturned,
  action: isReturned,
  assert_return: (outcome, { expected = [] }) =>
    outcome.startsWith("returned") && hasExpected(expected, outcome.slice("returned ".length)),
  assert_trap: isTrapped,
  assert_uninstantiable: isTrapped,
  assert_exhaustion: (outcome) => outcome === "exhausted",
  assert_exception: (outcome) => outcome === "exception",
  assert_unlinkable: (outcome) => /^(?:LinkError|TypeError): /.test(outcome),
};

/** Says whether the engine does what the suite expects. */
function isExpected(command: SpecCommand, outcome: string): boolean {
  return CHECKS[command.type]?.(outcome, command) ?? false;
}

function hasExpected(expected: readonly SpecValue[], outcome: string): boolean {
  const described = outcome === "" ? [] : outcome.split(", ");
  return (
    described.length === expected.length && expected.every((value, index) => matches(value, described[index] ?? ""))
  );
}

/** The engine's messages by how the suite's begin. The engine does not tell an element that is null from one of another type. */
const TRAPS: readonly (readonly [text: string, message: RegExp])[] = [
  ["unreachable", /^Unreachable code should not be executed$/],
  ["integer divide by zero", /^Division by zero$/],
  ["integer overflow", /^(?:Integer overflow|Out of bounds Trunc operation)$/],
  ["invalid conversion to integer", /^Out of bounds Trunc operation$/],
  ["undefined", /^Out of bounds call_indirect$/],
  ["uninitialized", /^call_indirect to a signature that does not match$/],
  ["indirect call", /^call_indirect to a signature that does not match$/],
  ["out of bounds", /^Out of bounds (?:array\.|or failed to allocate in array\.)/],
  ["cast failure", /^ref\.cast failed to cast reference /],
  ["out of bounds", /^Out of bounds (?:memory|table) access$|an out of bounds table index$|^Invalid data segment /],
  ["null", / null reference$/],
];

function trapMatches(text: string, outcome: string): boolean {
  const message = /^RuntimeError: (.*)$/s.exec(outcome)?.[1] ?? "";
  return TRAPS.some(([start, pattern]) => text.startsWith(start) && pattern.test(message));
}
