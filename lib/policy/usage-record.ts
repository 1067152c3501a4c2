/** No directory of a tool ends so: `~` is in no id. */
const SUFFIX = "~usage";

/**
 * Says where the record lies of how much a directory with a quota holds: beside it, whatever slashes its path ends with.
 *
 * @param hostPath - Absolute.
 */
export function usageRecordPath(hostPath: string): string {
  return `${hostPath.replace(/\/+$/, "")}${SUFFIX}`;
}
