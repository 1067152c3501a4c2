/**
 * What two network rules have in common, and whether one covers another. Pure: sets of targets, without looking at any.
 */
import { formatNetworkRule, type NetworkRule, type NetworkScheme } from "../network-rule.ts";
import { kindOf, parseAddress } from "./address.ts";

type Door = readonly [scheme: NetworkScheme, port: number];
type HostPart = Pick<NetworkRule, "covers" | "host">;

/** Whether everything that `narrow` covers is covered by `wide`. */
export function coversRule(wide: NetworkRule, narrow: NetworkRule): boolean {
  const common = intersectRules(wide, narrow);
  const doors = common.flatMap(doorsOf);
  const [first] = common;
  return (
    first !== undefined &&
    doorsOf(narrow).every(([scheme, port]) => doors.some(([other, at]) => scheme === other && port === at)) &&
    first.covers === narrow.covers &&
    first.host === narrow.host &&
    first.pathPrefix === narrow.pathPrefix
  );
}

/**
 * Finds what two rules both cover.
 *
 * @returns At most two rules; none when they have nothing in common.
 */
export function intersectRules(left: NetworkRule, right: NetworkRule): readonly NetworkRule[] {
  const host = commonHost(left, right);
  const path = commonPath(left.pathPrefix, right.pathPrefix);
  if (host === undefined || path === undefined) return [];
  const rightDoors = doorsOf(right);
  const doors = doorsOf(left).filter(([scheme, port]) => rightDoors.some(([s, p]) => s === scheme && p === port));
  const pathPrefix = path === "/" ? undefined : path;
  const isWhole = (rule: NetworkRule): boolean => doors.length === doorsOf(rule).length;
  const whole = isWhole(left) ? left : isWhole(right) ? right : undefined;
  if (doors.length === 0) return [];
  // As it was written, where that says the same: `example.com`, not `https://example.com:443` and `http://example.com:80`.
  if (whole !== undefined) return [{ scheme: whole.scheme, ...host, port: whole.port, pathPrefix }];
  const { covers, host: name } = host;
  return doors.map(([scheme, port]) => ({ scheme, covers, host: name, port, pathPrefix }));
}

/** Drops the rules that are written the same as one before them. */
export function uniqueRules(rules: readonly NetworkRule[]): readonly NetworkRule[] {
  return [...new Map(rules.map((rule) => [formatNetworkRule(rule), rule])).values()];
}

function doorsOf({ scheme, port }: NetworkRule): readonly Door[] {
  const schemes: readonly NetworkScheme[] = scheme === undefined ? ["https", "http"] : [scheme];
  return schemes.map((each) => [each, port ?? (each === "http" ? 80 : 443)]);
}

function commonHost(left: HostPart, right: HostPart): HostPart | undefined {
  if (coversHosts(left, right)) return { covers: right.covers, host: right.host };
  return coversHosts(right, left) ? { covers: left.covers, host: left.host } : undefined;
}

/** Whether every host of `narrow` is one of `wide`. `*` and `*.x` never cover what has to be named literally. */
function coversHosts(wide: HostPart, narrow: HostPart): boolean {
  if (wide.covers === narrow.covers && wide.host === narrow.host) return true;
  if (wide.covers === "host" || narrow.covers === "any") return false;
  // First what is cheap: sets of rules are compared pair by pair.
  if (wide.covers === "subdomains" && !narrow.host.endsWith(`.${wide.host}`)) return false;
  const address = parseAddress(narrow.host);
  if (address !== undefined) return wide.covers === "any" && kindOf(address) === "public";
  if (wide.covers === "subdomains") return true;
  return narrow.host !== "localhost" && !narrow.host.endsWith(".localhost");
}

/** @returns The longer of two prefixes when it lies below the other; "/" stands for every path. */
function commonPath(left = "/", right = "/"): string | undefined {
  if (isBelow(left, right)) return left;
  return isBelow(right, left) ? right : undefined;
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}
