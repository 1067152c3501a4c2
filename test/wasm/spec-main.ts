/**
 * Test support: runs the whole WebAssembly specification's test suite and prints what it has shown as JSON. A process of its own, because
 * the engine is told at its start how many memories it may have at once.
 */
import { readSuite } from "../../fixtures/spec/archive.ts";
import { Report, runFile } from "./spec-run.ts";

const suite = await readSuite();
const report = new Report();
for (const file of suite.files) runFile(suite, file, report);
const { modules, sameFuel, skipped, deviations, differences } = report;
const compared = Object.fromEntries(report.compared);
console.log(
  JSON.stringify({ files: suite.files.length, modules, sameFuel, compared, skipped, deviations, differences }),
);
