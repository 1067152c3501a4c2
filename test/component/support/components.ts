/**
 * Components written as text for tests of the compiler.
 */
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";

/** Parts of the component that {@link assemble} puts together; each has a default that makes a valid bare tool. */
export interface Source {
  /** Fields before the core module. */
  readonly head?: string;
  /** The core names that are linked: memory, realloc, run. */
  readonly memory?: string;
  readonly realloc?: string;
  readonly run?: string;
  /** Further fields of the core module. */
  readonly fields?: string;
  /** The function `$run`'s type. */
  readonly type?: string;
  /** Fields at the end; by default `$run` is exported as `run`. */
  readonly tail?: string;
}

/** Type of a function that takes JSON text and returns it. */
export const RUN_TYPE = '(param "input" string) (result (result string (error string)))';

/** Makes the binary of a small component with one lifted function `$run` of two i32 parameters and one i32 result. */
export async function assemble(source: Source = {}): Promise<Uint8Array> {
  const { head = "", memory = "memory", realloc = "realloc", run = "run", fields = "", type = RUN_TYPE } = source;
  const tail = source.tail ?? '(export "run" (func $run))';
  return await parse(`(component ${head}
    (core module $m
      (memory (export "${memory}") 1)
      (func (export "${realloc}") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "${run}") (param i32 i32) (result i32) (i32.const 16))
      (func (export "no-parameters") (result i32) (i32.const 16))
      ${fields})
    (core instance $i (instantiate $m))
    (func $run ${type}
      (canon lift (core func $i "${run}") (memory (core memory $i "${memory}")) (realloc (core func $i "${realloc}"))))
    (func $describe (result string) (canon lift (core func $i "no-parameters") (memory (core memory $i "${memory}"))))
    (func $command (result (result)) (canon lift (core func $i "no-parameters")))
    ${tail})`);
}

/** Makes the binary of a component from its whole text. */
export async function component(text: string): Promise<Uint8Array> {
  return await parse(`(component ${text})`);
}
