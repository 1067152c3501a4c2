/**
 * Prints what the suites found: a table for a person, JSON for a program.
 */
import { availableParallelism, cpus, totalmem } from "node:os";
import type { Comparison, Figure, Findings, SummaryFigure } from "./suite.ts";

/** What the figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** `linux x64` */
  readonly platform: string;
}

/** All of a run. */
export interface Report {
  readonly machine: Machine;
  readonly bun: string;
  /** Quick figures only show that everything runs. */
  readonly quick: boolean;
  readonly suites: readonly SuiteReport[];
}

/** What one suite found. */
export interface SuiteReport extends Findings {
  readonly name: string;
  readonly question: string;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Writes the lines above the tables. */
export function formatHeader({ machine, bun, quick }: Omit<Report, "suites">): string {
  const { cpu, cores, memoryBytes, platform } = machine;
  const memory = `${(memoryBytes / 1_073_741_824).toFixed(1)} GiB`;
  const note = quick ? "\nQuick: shows that everything runs; the figures say little." : "";
  return `Bun ${bun}, ${platform}, ${cpu}, ${cores} cores, ${memory}${note}`;
}

/** Writes a suite's table. Ratios are those of medians, in parentheses the least and the most of a single round. */
export function formatSuite({ name, question, comparisons, summary }: SuiteReport): string {
  const width = Math.max(...comparisons.flatMap(({ figures }) => figures.map((figure) => figure.name.length))) + 4;
  const head = `${"".padEnd(width)}${["median", "mean", "p99", "ratio"].map((title) => title.padStart(11)).join("")}`;
  const tables = comparisons.map((comparison) => formatComparison(comparison, width));
  return [`${name}: ${question}`, "", head, ...tables, ...summary.map(formatSummary), ""].join("\n");
}

function formatComparison({ name, figures }: Comparison, width: number): string {
  return [`  ${name}`, ...figures.map((figure, index) => formatFigure(figure, width, index === 0))].join("\n");
}

function formatFigure(figure: Figure, width: number, isBaseline: boolean): string {
  const { name, medianNs, meanNs, p99Ns, ratio, ratioRange } = figure;
  const columns = [...[medianNs, meanNs, p99Ns].map(formatTime), `${ratio.toFixed(2)} x`];
  const range = isBaseline ? "" : `  (${ratioRange.map((value) => value.toFixed(2)).join(" to ")})`;
  return `    ${name.padEnd(width - 4)}${columns.map((column) => column.padStart(11)).join("")}${range}`;
}

function formatSummary({ name, value, unit, note }: SummaryFigure): string {
  return `  ${name}: ${value.toFixed(2)} ${unit}${note === undefined ? "" : ` (${note})`}`;
}

function formatTime(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  if (ns < 1_000_000) return `${(ns / 1000).toFixed(1)} us`;
  return `${(ns / 1_000_000).toFixed(2)} ms`;
}
