/**
 * What the resources of the WASI host have in common: a handle that is counted, dropped once, and never forged. The
 * guest's side of the trust boundary.
 *
 * For a handle that the guest does not hold, a method gets an object that only has the class's prototype. So every method
 * begins with {@link Resource.enter}, which refuses such an object. Every method that the class's type names is one of WASI's:
 * a component could call any other by declaring it.
 *
 * Source: Component Model, Canonical ABI, `lift_own` and `lift_borrow`: a handle that the guest does not hold traps.
 */
import { DISPOSE, type Frame, LOWER } from "./boundary.ts";
import { lowerFunction, type Parameter, type Result, type Run, type Signature, type Signatures } from "./canonical.ts";
import { denyFunction, nameResource, toKebabCase } from "./deny.ts";
import { Host } from "./host.ts";

/** Where a call's own prototypes keep its host. A symbol: a component cannot name it. */
const HOST = Symbol("host");

/** A resource's type as a component sees it. */
export interface ResourceType {
  /** Its interface and WIT name: `["wasi:io/streams", "input-stream"]`. */
  readonly name: readonly [interfaceName: string, resource: string];
  /** Its methods, by their names at the glue. */
  readonly methods: Signatures;
}

/** The part of a resource class that is needed to hand it to the glue. */
export interface ResourceClass<T extends Resource = Resource> {
  readonly prototype: T;
  readonly type: ResourceType;
}

/** A resource that the host owns and a guest holds. */
export abstract class Resource {
  #live = true;
  readonly #number: number;

  /** Traps when the call holds too many handles. */
  constructor(host: Host, made: ResourceClass) {
    this.#number = host.hold(this);
    Object.setPrototypeOf(this, prototypeOf(host, made));
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

  /** The number of a resource in the glue's tables; undefined when a value is none. */
  static numberOf(value: unknown): number | undefined {
    return Resource.isLive(value) ? value.#number : undefined;
  }

  /** Drops the handle. The glue has it called when the guest drops the resource. */
  [Symbol.dispose](): void {
    if (!this.#live) return;
    this.#live = false;
    findHost(this).release(this.#number);
  }
}

// A name that is not WASI's finds nothing, not even Object's own methods.
Object.setPrototypeOf(Resource.prototype, null);

/** Makes the type `borrow<T>`: the resource, or for a handle that the guest does not hold an object that has none. */
export function borrowParameter(wanted: ResourceClass): Parameter {
  return (frame) => borrow(frame, wanted, frame.takeI32());
}

/** Finds the resource behind a handle, or makes an object in its place that every function refuses. */
export function borrow(frame: Frame, wanted: ResourceClass, handle: number): unknown {
  const prototype = prototypeOf(frame.host, wanted);
  const found = frame.find(handle, (resource) => Object.getPrototypeOf(resource) === prototype);
  return found ?? Object.create(prototype);
}

/** `own<T>`, of any type. */
export const ownResult: Result = (frame, run, args) => {
  const number = Resource.numberOf(run(...args));
  if (number === undefined) throw new Error("BUG: an import gave no resource");
  return frame.give(number);
};

/**
 * Makes what the glue gets for a resource class: it serves `instanceof` and the lookup of methods; constructing it, calling
 * it, and static functions are denied.
 */
export function exposeResource(host: Host, exposed: ResourceClass): object {
  const named = nameResource(host.context, exposed.type.name, prototypeOf(host, exposed));
  const dispose = (number: number): void => {
    // Source: CanonicalABI.md, `canon resource.drop` traps unless the instance may leave, and while it allocates it may not.
    if (host.isAllocating) host.context.trap("it dropped a handle from its allocator");
    const resource = host.resourceAt(number);
    if (resource instanceof Resource) resource[Symbol.dispose]();
  };
  return Object.defineProperty(named, DISPOSE, { value: dispose });
}

/**
 * Makes the prototype that a call's objects of a class have: it leads from any of them, even a forged one, to the host, and
 * has WASI's methods as the glue links them. Whoever links another method of the class gets a denial.
 */
function prototypeOf(host: Host, made: ResourceClass): object {
  return host.prototypeOf(made.prototype, () => {
    const { name, methods } = made.type;
    const target: object = Object.create(made.prototype, { [HOST]: { value: host } });
    const prototype: object = new Proxy(target, {
      get(_, key, receiver): unknown {
        if (typeof key === "symbol") return Reflect.get(target, key);
        const signature = Object.hasOwn(methods, key) ? methods[key] : undefined;
        if (signature !== undefined) return makeMethod(host, made, [key, signature]);
        return receiver === prototype ? denyFunction(host.context, [...name, key]) : undefined;
      },
    });
    return prototype;
  });
}

function makeMethod(host: Host, made: ResourceClass, [key, [parameters, result]]: readonly [string, Signature]): Run {
  const method: unknown = Reflect.get(made.prototype, key);
  if (typeof method !== "function") throw new Error(`BUG: no method ${key}`);
  const run: Run = (self, ...args) => Reflect.apply(method, self, args) as unknown;
  const name = `${made.type.name[0]} ${made.type.name[1]}.${toKebabCase(key)}`;
  const lower = lowerFunction({ host, name }, [[borrowParameter(made), ...parameters], result], run);
  const bound = function (this: unknown, ...args: readonly unknown[]): unknown {
    return run(this, ...args);
  };
  return Object.defineProperty(bound, LOWER, { value: lower });
}

function findHost(resource: Resource): Host {
  const host: unknown = Reflect.get(resource, HOST);
  if (host instanceof Host) return host;
  throw new Error("BUG: a resource without a host");
}
