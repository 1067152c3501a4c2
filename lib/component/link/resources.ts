/**
 * Makes the core functions by which core code makes, looks into and drops the handles of resources.
 *
 * Source: WebAssembly Component Model, CanonicalABI.md, `canon_resource_new`, `canon_resource_rep`, `canon_resource_drop`.
 */
import type { CoreCallable } from "./context.ts";
import { promising } from "./jspi.ts";
import { enterInstance } from "./lift.ts";
import type { Linked } from "./linked.ts";
import type { CoreExport, CoreFunction } from "./plan.ts";

type ResourceFunction = Extract<CoreFunction, { readonly resource: string | number }>;

/** Makes a core function. One that may suspend stands behind a gate, which has asked whether the call is allowed. */
export function resourceFunction<Call>(linked: Linked<Call>, planned: ResourceFunction): CoreCallable {
  if (planned.from === "resource.new") return resourceNew(linked, planned);
  return planned.from === "resource.rep" ? resourceRep(linked, planned) : resourceDrop(linked, planned);
}

/** A handle for a number that the guest chooses. */
function resourceNew<Call>(linked: Linked<Call>, { resource, instance }: ResourceFunction): CoreCallable {
  const context = { payer: linked };
  return (representation) => {
    const handle = { resource, representation: Number(representation), scope: undefined, lent: 0 };
    return linked.instance(instance).handles.add(context, handle);
  };
}

/** Gives that number. */
function resourceRep<Call>(linked: Linked<Call>, { resource, instance }: ResourceFunction): CoreCallable {
  const context = { payer: linked };
  return (index) => linked.instance(instance).handles.get(context, Number(index) >>> 0, resource).representation;
}

/** Forgets a handle, and the resource with it when the handle owns it. */
function resourceDrop<Call>(linked: Linked<Call>, planned: ResourceFunction): CoreCallable {
  const { resource, instance } = planned;
  const known = typeof resource === "number" ? linked.linker.plan.resources[resource] : undefined;
  const destroy = known?.destructor ? destroyer(linked, known.destructor, [known.instance, instance]) : undefined;
  const isGated = linked.linker.gates?.numbers.has(planned) === true;
  return (index) => {
    const holder = linked.instance(instance);
    if (!isGated) linked.leave(holder, "resource.drop");
    const { scope, representation } = holder.handles.remove({ payer: linked }, Number(index) >>> 0, resource);
    if (scope !== undefined) scope.borrowed -= 1;
    else if (typeof representation === "number") return destroy?.(representation);
    else if (isDisposable(representation)) representation[Symbol.dispose]();
    return undefined;
  };
}

/**
 * Makes what runs a destructor. Who drops a resource of another component's calls that component.
 *
 * Source: CanonicalABI.md, `canon_resource_drop`: the destructor is called directly by its own component, and as a lifted function by others.
 */
function destroyer<Call>(
  linked: Linked<Call>,
  destructor: CoreExport,
  [definer, holder]: readonly [number, number],
): (representation: number) => unknown {
  return (representation) => {
    const run = linked.callable(destructor);
    const entered = definer === holder ? undefined : linked.instance(definer);
    if (entered !== undefined) enterInstance({ payer: linked }, entered);
    const leave = (): void => {
      if (entered !== undefined) entered.isEntered = false;
    };
    if (linked.linker.mayBlock) return promising(run)(representation).then(leave);
    run(representation);
    return leave();
  };
}

function isDisposable(value: object): value is Disposable {
  return Symbol.dispose in value;
}
