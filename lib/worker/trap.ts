/**
 * The trap that an import raises: the guest broke a rule of an interface. Thrown by `CallContext.trap` only.
 */

/** Ends a call with `GUEST_TRAP`. */
export class HostTrap extends Error {
  /** What the guest did, in words that an agent can read. May quote the guest: whoever prints it cleans it. */
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.name = "HostTrap";
    this.reason = reason;
  }
}
