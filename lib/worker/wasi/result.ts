/**
 * How an import returns the error case of a WIT `result`: jco's glue takes the `payload` of what is thrown.
 */

/** The error case of a function's `result`. An outcome for the guest, not a failure of the call. */
export class ResultError extends Error {
  /** The error, in the form that the glue lowers: a variant is `{ tag, val? }`. */
  readonly payload: unknown;

  constructor(payload: unknown) {
    super("the import returned an error to the guest");
    this.name = "ResultError";
    this.payload = payload;
  }
}
