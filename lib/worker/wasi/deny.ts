/**
 * What a guest is linked to for everything that it was not granted: an import of any name and shape that ends the call when
 * it is used, and says what was asked for. The guest's side of the trust boundary.
 *
 * The glue asks for functions and resource classes by name, checks only that each is there, and reads a class's `prototype`
 * for `instanceof` and for the methods of handles. So one kind of object stands for all of them: it can be called and
 * constructed, and has every property. It brings a core function of its own, which denies before any argument is looked at.
 */
import { clean } from "../../errors.ts";
import type { CallContext } from "../context.ts";
import { LOWER } from "./boundary.ts";
import type { Interface } from "./host.ts";

/** What is denied, in an agent's words, by the beginning of the interface's name. */
const CAPABILITIES: readonly (readonly [prefix: string, capability: string])[] = [
  ["wasi:sockets/", "network access"],
  ["wasi:http/", "network access"],
  ["wasi:filesystem/", "file access"],
  ["wasi:cli/terminal", "terminal access"],
];

/** Most UTF-16 code units of a name that reach a message. */
const NAME_LIMIT = 100;

/** What an import is: its interface, then the function, or the resource and its method. */
export type Path = readonly [interfaceName: string, ...names: string[]];

/**
 * Denies a whole interface, or a function that the world imports without one.
 *
 * @param interfaceName - As the component names it, with or without version: `wasi:sockets/tcp`.
 * @returns An object with every property, each a function and a resource class that denies.
 */
export function denyInterface(context: CallContext, interfaceName: string): unknown {
  return makeDenial(context, [interfaceName]);
}

/**
 * Adds denials to an interface: every name that it does not have denies.
 *
 * @param known - The functions and resources that it has.
 */
export function denyRest(context: CallContext, interfaceName: string, known: Interface): Interface {
  return new Proxy(known, {
    get(target, name): unknown {
      if (typeof name === "symbol") return undefined;
      return Object.hasOwn(target, name) ? target[name] : makeDenial(context, [interfaceName, name]);
    },
  });
}

/** Denies one function of an interface, or of a resource that the interface has. */
export function denyFunction(context: CallContext, name: Path): unknown {
  return makeDenial(context, name);
}

/**
 * Makes a resource class that cannot be constructed and has no static functions: what the glue gets for a class of ours.
 *
 * @param prototype - Where its methods are found, and what `instanceof` looks for.
 */
export function nameResource(context: CallContext, name: Path, prototype: object): object {
  return makeDenial(context, name, prototype);
}

/**
 * Names what is denied.
 *
 * @returns Words for `CallContext.deny`: `network access (wasi:sockets/tcp tcp-socket.start-bind)`.
 */
function describe([interfaceName, ...names]: Path): string {
  const found = CAPABILITIES.find(([prefix]) => interfaceName.startsWith(prefix));
  const parts = names.filter((name) => name !== "default").map(toKebabCase);
  const place = [clean(interfaceName, NAME_LIMIT), parts.join(".")].filter((part) => part !== "").join(" ");
  return `${found?.[1] ?? "an unknown host function"} (${place})`;
}

/** Undoes the glue's camelCase: `createTcpSocket` and `TcpSocket` are `create-tcp-socket` and `tcp-socket` in WIT. At most 100 characters. */
export function toKebabCase(name: string): string {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^-/, "");
  return clean(kebab, NAME_LIMIT);
}

function makeDenial(context: CallContext, path: Path, prototype?: object): object {
  // A `function`: only that can be constructed as well as called, and have its `prototype` replaced.
  function refuse(): never {
    context.enter();
    return context.deny(describe(path));
  }
  refuse.prototype = prototype;
  return new Proxy(refuse, {
    get(_, name): unknown {
      if (name === LOWER) return () => () => refuse();
      if (typeof name === "symbol") return Reflect.get(refuse, name);
      if (name !== "prototype") return makeDenial(context, [...path, name]);
      refuse.prototype ??= makePrototype(context, path);
      return refuse.prototype;
    },
  });
}

/** Makes the prototype of a denied class. No instance exists: only a forged handle's object ever has it. */
function makePrototype(context: CallContext, path: Path): object {
  return new Proxy(Object.create(null), {
    get: (_, name) => (typeof name === "symbol" ? undefined : makeDenial(context, [...path, name])),
  });
}
