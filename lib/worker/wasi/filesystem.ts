/**
 * `wasi:filesystem`: no preopened directories, so no file can be reached. The guest's side of the trust boundary.
 *
 * Source: wasi:filesystem 0.2, wit/preopens.wit, wit/types.wit.
 */
import { define } from "../../component/link/host.ts";
import { list, own, string, tuple } from "../../component/link/type.ts";
import { serve, type WasiInterface } from "./host.ts";

/** The interfaces of `wasi:filesystem`. */
export const FILESYSTEM: readonly WasiInterface[] = [
  serve("wasi:filesystem/preopens", {
    "get-directories": define([{}, list(tuple(own("wasi:filesystem/types/descriptor"), string))], () => []),
  }),
];
