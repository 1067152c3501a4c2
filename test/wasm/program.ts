/**
 * Test support: a generated core module as a tree of statements, its text, and how to make it smaller.
 */

/** One instruction, or the statements inside a block. */
export type Part = string | Part[][];

/** Instructions that together leave the operand stack as it was; without one of them the rest stays valid, nearly always. */
export type Statement = Part[];

/** One function. */
export interface GeneratedFunction {
  /** `(func …` with its name, type and locals, without the closing parenthesis. */
  readonly head: string;
  readonly body: Statement[];
}

/** A generated core module. */
export interface Program {
  readonly seed: number;
  /** Everything in front of the functions. */
  readonly head: string;
  readonly functions: readonly GeneratedFunction[];
  /** Whether its import may throw: only where a module that throws ends its runs at calls. */
  readonly mayThrow: boolean;
}

/**
 * Writes a program as WebAssembly text.
 *
 * @param write - Writes one instruction.
 * @param extra - Fields behind the head.
 */
export function renderProgram(program: Program, write = (line: string): string => line, extra = ""): string {
  const functions = program.functions.map(({ head, body }) => `${head}\n${renderBody(body, write, "  ")})`);
  return `(module\n${program.head}\n${extra}\n${functions.join("\n")})`;
}

function renderBody(body: readonly Statement[], write: (line: string) => string, indent: string): string {
  return body
    .flat()
    .map((part) => (typeof part === "string" ? indent + write(part) : renderBody(part, write, `${indent}  `)))
    .join("\n");
}

/**
 * Takes statements out of a program as long as it stays interesting; changes the program.
 *
 * @param isInteresting - Says no when the program is not valid any more.
 */
export async function shrinkProgram(program: Program, isInteresting: () => Promise<boolean>): Promise<void> {
  let hasShrunk = true;
  while (hasShrunk) {
    hasShrunk = false;
    for (const { body } of program.functions) hasShrunk = (await shrinkBody(body, isInteresting)) || hasShrunk;
  }
}

async function shrinkBody(body: Statement[], isInteresting: () => Promise<boolean>): Promise<boolean> {
  let hasShrunk = false;
  for (let index = body.length - 1; index >= 0; index--) {
    const statement = body[index] ?? [];
    const inner = statement.filter((part) => typeof part !== "string");
    // Nothing at all, or what is inside the block without the block.
    for (const smaller of [[], ...inner]) {
      body.splice(index, 1, ...smaller);
      if (await isInteresting()) return true;
      body.splice(index, smaller.length, statement);
    }
    for (const nested of inner) hasShrunk = (await shrinkBody(nested, isInteresting)) || hasShrunk;
  }
  return hasShrunk;
}
