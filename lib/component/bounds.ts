/**
 * Bounds what jco's glue does by itself, where the guest chooses how much: changes to its text, each checked to fit. Pure.
 *
 * The glue runs outside fuel, memory limit and deadline. With these changes it builds nothing that the guest makes larger: an
 * argument of an import is never lifted, a result is lifted up to a limit, and so is the number of handles.
 *
 * Source: Component Model, CanonicalABI.md, `load_string_from_range` and `Table`: text that is none traps, and so does a handle that is not there.
 */

/** Most bytes of a text that a component returns; a result has to be smaller by far. */
export const RETURNED_TEXT_LIMIT: number = 4_194_304;

/** Most handles that the parts of a component hold at once, of resources that are its own, have passed through it, or are lent. */
export const GLUE_HANDLE_LIMIT: number = 65_536;

/**
 * What the changed glue uses. `TextDecoder` shadows the engine's: all that the glue decodes are texts that the component
 * returns; a byte-order mark is a character of theirs. `$createdReps` stands for a set that grows with each resource: whether a component defines the type is all that it tells.
 */
const HELPERS = `
const TextDecoder = class {
  #decoder;
  constructor(encoding) {
    this.#decoder = new globalThis.TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  }
  decode(bytes) {
    if (bytes.byteLength > ${RETURNED_TEXT_LIMIT}) throw new RangeError(\`it returned a text of \${bytes.byteLength} bytes\`);
    return this.#decoder.decode(bytes);
  }
};
function $createdReps() {
  let any = false;
  return { add: () => void (any = true), has: () => any };
}
`;

interface Change {
  /** What calls for the change. */
  readonly use: string;
  /** Where the change goes, once. No name of a component has a brace or a line end, so none can look like it. */
  readonly anchor: string;
  readonly text: string;
}

const TOO_MANY_HANDLES = `throw new RangeError('it holds more than ${GLUE_HANDLE_LIMIT} handles')`;

/** Beyond the end of a table nothing says that an entry is free: the glue would write one there, as far out as it is told. */
const KNOWN_HANDLE =
  "    if (!(handle > 0 && handle < table.length / 2)) throw new WebAssemblyRuntimeError('unknown handle');\n";

const CHANGES: readonly Change[] = [
  {
    // All lifting of arguments goes through this function. Each import has a core function of its own in its place, unless a
    // component gives an import the name of one of the glue's variables.
    use: "_lowerImportBackwardsCompat.bind(",
    anchor: "function _lowerImportBackwardsCompat(args) {\n",
    text: "function _lowerImportBackwardsCompat(args) {\n    throw new TypeError('an import cannot be linked');\n",
  },
  {
    use: "rscTableCreate",
    anchor: "const T_FLAG = 1 << 30;\n",
    text: "const T_FLAG = 1 << 30;\n  let $handlesMade = 0;\n",
  },
  {
    use: "rscTableGet(",
    anchor: "function rscTableGet(table, handle) {\n",
    text: `function rscTableGet(table, handle) {\n${KNOWN_HANDLE}`,
  },
  {
    use: "rscTableRemove(",
    anchor: "function rscTableRemove(table, handle) {\n",
    text: `function rscTableRemove(table, handle) {\n${KNOWN_HANDLE}`,
  },
  {
    use: "rscTableCreateOwn(",
    anchor: "function rscTableCreateOwn(table, rep) {\n",
    text: "function rscTableCreateOwn(table, rep, isTransfer = false) {\n",
  },
  {
    use: "rscTableCreateOwn(",
    anchor: "    table._createdReps.add(rep);\n    if (free === 0) {\n",
    text: `    if (!isTransfer) table._createdReps.add(rep);
    if (free === 0) {
      if (++$handlesMade > ${GLUE_HANDLE_LIMIT}) ${TOO_MANY_HANDLES};\n`,
  },
  {
    // A list can lend the same resource as often as it has elements.
    use: "rscTableCreateBorrow(",
    anchor: "    if (free === 0) {\n      table.push(scopeId);\n",
    text: `    if (free === 0) {
      if (++$handlesMade > ${GLUE_HANDLE_LIMIT}) ${TOO_MANY_HANDLES};
      table.push(scopeId);\n`,
  },
  {
    // Written to, and never read.
    use: "RESOURCE_CALL_BORROWS.",
    anchor: "RESOURCE_CALL_BORROWS.push({ rid: toTid, handle: newHandle });\n",
    text: ";\n",
  },
  {
    use: "addResourceLender(",
    anchor: "      #resourceLenders = [];\n",
    text: "      static #lent = 0;\n      #resourceLenders = [];\n",
  },
  {
    use: "addResourceLender(",
    anchor: "        this.#resourceLenders.push({ table, handle });\n",
    text: `        if (++AsyncTask.#lent > ${GLUE_HANDLE_LIMIT}) ${TOO_MANY_HANDLES};
        this.#resourceLenders.push({ table, handle });\n`,
  },
  {
    use: "addResourceLender(",
    anchor: "        this.#resourceLenders = [];\n",
    text: "        AsyncTask.#lent -= this.#resourceLenders.length;\n        this.#resourceLenders = [];\n",
  },
  {
    // Who is given a resource has not defined its type.
    use: "function resourceTransferOwn(",
    anchor: "const newHandle = rscTableCreateOwn(toTable, rep);\n",
    text: "const newHandle = rscTableCreateOwn(toTable, rep, true);\n",
  },
];

/**
 * Puts the bounds into a glue's text.
 *
 * @throws {Error} `BUG: …` when the glue is not as the release of jco writes it that the changes were made for.
 */
export function boundGlue(glue: string): string {
  const changed = CHANGES.reduce(applyChange, glue);
  return changed.replaceAll("_createdReps = new Set();", "_createdReps = $createdReps();") + HELPERS;
}

function applyChange(glue: string, { use, anchor, text }: Change): string {
  const [before = "", after, ...others] = glue.split(anchor);
  if (after === undefined ? glue.includes(use) : others.length > 0)
    throw new Error(`BUG: jco's glue has changed: ${anchor}`);
  return after === undefined ? glue : before + text + after;
}
