/**
 * What is known of the WebAssembly specification's test suite on this engine, as data: what cannot be compared, and where the engine does not
 * do what the suite expects.
 */

/** Notes that are expected. */
export interface Known {
  /** What the note's text matches. */
  readonly what: RegExp;
  /** What its file's name matches; any when it is missing. */
  readonly file?: RegExp;
  /** How many there are at most: the engine and the meter may get better. */
  readonly count: number;
  readonly why: string;
}

/** What is not compared. A command on a module that was not made is skipped for the same reason as the module. */
export const SKIPPED: readonly Known[] = [
  { what: /: text$/, count: 1711, why: "malformed text: a matter of the text's parser, which KAMI does not have" },
  { what: /\(threads\)|, threads\)/, count: 259, why: "threads: refused by name" },
  { what: /Memory64 is not enabled/, count: 795, why: "memory64: the engine does not have it" },
  { what: /^/, file: /custom-descriptors/, count: 500, why: "a proposal behind WebAssembly 3.0" },
  { what: /^/, file: /custom-page-sizes/, count: 48, why: "a proposal behind WebAssembly 3.0" },
  { what: /^/, file: /compact-import-section/, count: 45, why: "a proposal behind WebAssembly 3.0" },
];

/** Where the engine is not as the suite expects; metered it does the same. */
export const DEVIATIONS: readonly Known[] = [
  {
    what: /^assert_invalid: accepted/,
    file: /unreached-invalid$|return_call|call_ref$/,
    count: 133,
    why: "the engine does not check all types in code that control cannot get to",
  },
  {
    what: /accepted, metered returned accepted$/,
    file: /^proposals\/(?:function-references|memory64|multi-value|reference-types|threads)\/(?:binary|memory|imports)$/,
    count: 47,
    why: "written before there were several memories and tables",
  },
  {
    what: /^assert_malformed: accepted, metered (?:returned accepted|Failure COMPONENT_INVALID)$/,
    file: /^proposals\/reference-types\/binary/,
    count: 2,
    why: "an index of the bulk operations that is longer than it need be",
  },
  {
    what: /^assert_/,
    file: /^proposals\/mutable-global\/linking$/,
    count: 10,
    why: "written when segments were checked before any of them was written",
  },
  {
    what: /^assert_return: TypeError: an exported wasm function cannot contain an invalid parameter or return value$/,
    file: /\/ref_null$/,
    count: 4,
    why: "JavaScript cannot take a reference to an exception",
  },
];

/**
 * Modules that the engine refuses, and takes once they are metered. The component's validator refuses them before the meter sees them, and
 * what is done there has no meaning to be changed; all the same they should be refused here.
 */
export const DIFFERENCES: readonly Known[] = [
  {
    what: /: (?:\d+th Function type number is invalid|can't get (?:Function local's type|block's signature|loop's signature)|select can't parse)/,
    count: 6,
    why: "a type just past the module's own is one that the meter adds",
  },
  {
    what: /: (?:grow_memory is only valid if a memory|memory index 1 is out of range)/,
    count: 7,
    why: "memory.grow of a memory that does not exist is a call of the host, which knows none",
  },
  {
    what: /: Memory's maximum page count of /,
    count: 9,
    why: "a maximum above 65,536 pages is lowered to that",
  },
  { what: /: Start function can't /, count: 2, why: "a start function is an export, which may take and give anything" },
  { what: /: ref\.func index 0 isn't declared/, count: 1, why: "the export of the start function declares it" },
];
