/**
 * What the resources of the WASI host have in common: a handle that is counted, dropped once, and never forged. The
 * guest's side of the trust boundary.
 *
 * The glue looks a handle up in its tables, and for one that is not there makes an object with the class's prototype. So
 * every method begins with {@link Resource.enter}, which refuses such an object. Every method with a string for a name is
 * one of WASI's: a component could call any other by declaring it.
 *
 * Source: Component Model, Canonical ABI, `lift_own` and `lift_borrow`: a handle that the guest does not hold traps.
 */
import { nameResource } from "./deny.ts";
import { Host } from "./host.ts";

/** Where a call's own prototypes keep its host. A symbol: a component cannot name it. */
const HOST = Symbol("host");

/** The part of a resource class that is needed to hand it to the glue. */
interface ResourceClass {
  readonly prototype: Resource;
}

/** A resource that the host owns and a guest holds. */
export abstract class Resource {
  #live = true;

  /** Traps when the call holds too many handles. */
  constructor(host: Host) {
    host.hold();
    Object.setPrototypeOf(this, host.prototypeOf(new.target.prototype, HOST));
  }

  /**
   * Begins a method: charges the host call, and traps when the guest does not hold the resource.
   *
   * @returns The call's host.
   */
  static enter(resource: Resource): Host {
    const host = findHost(resource);
    host.context.enter();
    if (!Resource.isLive(resource)) host.context.trap("it used a handle that it does not hold");
    return host;
  }

  /** Whether an argument is a resource that some guest holds, and not a forged one. */
  static isLive(value: unknown): value is Resource {
    return typeof value === "object" && value !== null && #live in value && value.#live;
  }

  /** Drops the handle. The glue calls it when the guest drops the resource. */
  [Symbol.dispose](): void {
    if (!this.#live) return;
    this.#live = false;
    findHost(this).release();
  }
}

// A name that is not WASI's finds nothing, not even Object's own methods.
Object.setPrototypeOf(Resource.prototype, null);

function findHost(resource: Resource): Host {
  const host: unknown = Reflect.get(resource, HOST);
  if (host instanceof Host) return host;
  throw new Error("BUG: a resource without a host");
}

/**
 * Makes what the glue gets for a resource class: it serves `instanceof` and the lookup of methods; constructing it, calling
 * it, and static functions are denied.
 *
 * @param name - The class's interface and WIT name: `["wasi:io/streams", "input-stream"]`.
 */
export function exposeResource(
  host: Host,
  name: readonly [interfaceName: string, resource: string],
  resource: ResourceClass,
): unknown {
  return nameResource(host.context, name, host.prototypeOf(resource.prototype, HOST));
}
