/**
 * The guests of the compute suite: real programs in C and Rust, how much each is given to do, and what must come out. Beside them the micro
 * guests, small loops written by hand, which show the worst case and count in no mean.
 */
import { fileURLToPath } from "node:url";

/** What a guest is written in. */
type Language = "c" | "rust" | "wat";

/** A core module that exports `run(n)`. */
export interface Guest {
  /** Unique in the suite. */
  readonly name: string;
  readonly language: Language;
  /** File in the language's folder, without suffix. */
  readonly stem: string;
  /** Given to `run`: a millisecond of work, or a little more. */
  readonly argument: number;
  /** What `run` returns for it, as an unsigned number: that of the same source compiled for this machine, where there is one. */
  readonly answer: number;
}

const FOLDERS: Readonly<Record<Language, string>> = Object.freeze({ c: "c", rust: "rust", wat: "micro" });

/** The real programs. */
export const GUESTS: readonly Guest[] = [
  c("allocate", 10, 61_350),
  c("base64", 12, 3_489_560_192),
  c("bodies", 30, 3_682_909_309),
  c("compress", 9, 4_180_200_673),
  c("crc32", 6, 1_117_489_934),
  c("distance", 5, 3_838_012_398),
  c("interpreter", 3, 42_453),
  c("json", 26, 1_615_694_462),
  c("matrix", 2, 1_557_174_749),
  c("quicksort", 3, 2_436_511_195),
  c("recursion", 40, 142_600),
  c("regex", 5, 2_584_798_277),
  c("search", 17, 158_043_429),
  c("sieve", 3, 53_952),
  c("sort", 2, 1_576_725_620),
  c("words", 6, 4_196_906_268),
  rust("regex-crate", 5, 214_065_818),
  rust("serde-json", 5, 1_418_956_602),
];

/** Loops and calls with next to nothing in them. */
export const MICRO_GUESTS: readonly Guest[] = [
  micro("loop", 200_000, 1_425_293_165),
  micro("matrix", 96, 1_836_621_824),
  micro("recursion", 23, 28_657),
  micro("sieve", 65_536, 6542),
];

/** Names a guest's module. @returns Absolute path of its `.wasm`, or of its text. */
export function guestFile({ language, stem }: Guest): string {
  const suffix = language === "wat" ? "wat" : "wasm";
  return fileURLToPath(new URL(`${FOLDERS[language]}/${stem}.${suffix}`, import.meta.url));
}

function c(stem: string, argument: number, answer: number): Guest {
  return { name: `${stem} (C)`, language: "c", stem, argument, answer };
}

function rust(stem: string, argument: number, answer: number): Guest {
  return { name: `${stem} (Rust)`, language: "rust", stem, argument, answer };
}

function micro(stem: string, argument: number, answer: number): Guest {
  return { name: `micro: ${stem}`, language: "wat", stem, argument, answer };
}
