/**
 * What the resources of the WASI host have in common: they are counted, dropped once, and never before what depends on them. The guest's side
 * of the trust boundary.
 *
 * The linker finds a resource by its handle and type: a method gets one that the guest holds, and of its own class.
 *
 * Source: wasi:io 0.2, wit/streams.wit: "It is a trap to drop a resource while it has children", and the like in wasi:http.
 */
import type { Host } from "./host.ts";

/** A resource that the host owns and a guest holds. */
export abstract class Resource implements Disposable {
  readonly host: Host;
  readonly #parent: Resource | undefined;
  #children = 0;
  #isLive = true;

  /**
   * Traps when the call holds too many handles.
   *
   * @param parent - What this one depends on: the guest may not drop it before this one.
   */
  constructor(host: Host, parent?: Resource) {
    host.hold(this);
    this.host = host;
    this.#parent = parent;
    if (parent !== undefined) parent.#children += 1;
  }

  /** Whether nothing depends on it. */
  get hasChildren(): boolean {
    return this.#children > 0;
  }

  /** The guest drops it, or gives it to a function that takes it. Traps while it has children. */
  [Symbol.dispose](): void {
    if (this.#children > 0) this.host.context.trap("it dropped a resource that another one of its depends on");
    this.end();
  }

  /** Ends it, whatever depends on it: the call is over. Does nothing the second time. */
  end(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    if (this.#parent !== undefined) this.#parent.#children -= 1;
    this.host.release(this);
    this.close();
  }

  /** Releases what it has outside of the guest. Must not throw, and not wait. */
  protected close(): void {}
}
