/**
 * What branches give back: a run goes on behind a branch that leaves it, and is charged as a whole.
 *
 * A conditional branch divides a run in two, which come to be charged together or not when its block ends. A branch that leaves blocks for good
 * lets them go on with the runs that they were opened in. Both give back what has been charged for code that is then not executed.
 */

/** A run of instructions that are executed together. */
export interface Run {
  /** Its place among the body's charges; NOWHERE before its first instruction that costs something. */
  charge: number;
  /** Fuel units. */
  cost: number;
  /** How many places of the body that look at what is left came before it. */
  looks: number;
  /** The run that it may come to be charged with. */
  parent: Run | undefined;
  /** How many runs there are above it in that way. */
  depth: number;
  /** Whether branches have been settled that leave out what comes behind it: nothing is added to it any more. */
  isSettled: boolean;
}

/** A run that has no charge yet. */
export const NOWHERE = -1;

/** A branch that gives nothing back. */
export const NONE = -1;

/** The most runs that one branch may leave, so that a hostile body takes no more time than its size. */
const MOST_LEFT = 64;

/** A conditional branch. */
interface Division {
  /** The run up to the branch. */
  run: Run;
  /** What is behind it, until the branch's block has ended. */
  rest: Run;
  /** Whether they are charged together however the rest ends. */
  isSure: boolean;
  /** The branch's label, as it counts in the output. */
  label: number;
  /** The one before it of a branch to the same block, or NONE. */
  previous: number;
  /** Fuel units that are given back. */
  units: number;
}

/** A branch that leaves blocks for good. */
interface Departure {
  /** Where the runs that were charged in front of it are among all of them. */
  first: number;
  end: number;
  /** The one before it of a branch to the same block, or NONE. */
  previous: number;
  /** What they cost together up to the branch; once the branch's block has ended, what is given back. */
  units: number;
}

/** The branches of one body after another. */
export class Refunds {
  /** Both keep what they hold from body to body, to be used again: a large module has hundreds of thousands. */
  readonly #divisions: Division[] = [];
  readonly #departures: Departure[] = [];
  #divided = 0;
  #departed = 0;
  /** The runs of all departures, and where those of the next one begin. */
  readonly #left: Run[] = [];
  #first = 0;

  /** Whether a run may be divided once more. */
  mayDivide(run: Run): boolean {
    return run.depth < MOST_LEFT;
  }

  /**
   * Divides a run at a conditional branch to a label, as it counts in the output.
   *
   * @returns The branch's number, for {@link Refunds.chain}.
   */
  divide(run: Run, rest: Run, label: number): number {
    rest.parent = run;
    rest.depth = run.depth + 1;
    const number = this.#divided++;
    const division = this.#divisions[number];
    if (division === undefined) this.#divisions.push({ run, rest, isSure: false, label, previous: NONE, units: 0 });
    else {
      division.run = run;
      division.rest = rest;
      division.label = label;
      division.units = 0;
    }
    return number;
  }

  /** Says of a division which one was before it, and whether the two runs are charged together however the rest ends. */
  chain(number: number, previous: number, isSure: boolean): void {
    const division = this.#divisions[number];
    if (division === undefined) return;
    division.previous = previous;
    division.isSure = isSure;
  }

  /** Returns what a conditional branch gives back, and its label; undefined when there is no such branch. */
  division(number: number): { readonly units: number; readonly label: number } | undefined {
    return this.#divisions[number];
  }

  /**
   * Collects a run that a branch leaves, and those above it.
   *
   * @param looks - As many as there have been: what was charged before the last one cannot be given back.
   * @returns Whether there is room for them.
   */
  leave(run: Run, looks: number): boolean {
    for (let each: Run | undefined = run; each !== undefined && each.looks === looks; each = each.parent) {
      if (this.#left.includes(each, this.#first)) continue;
      if (this.#left.length - this.#first >= MOST_LEFT) return false;
      this.#left.push(each);
    }
    return true;
  }

  /** How many runs have been collected for the next departure. */
  get leaving(): number {
    return this.#left.length - this.#first;
  }

  /** Forgets them. */
  stay(): void {
    this.#left.length = this.#first;
  }

  /** Notes a branch that leaves the runs that have been collected. @returns Its number. */
  depart(previous: number): number {
    const first = this.#first;
    const end = this.#left.length;
    this.#first = end;
    const units = this.#costs(first, end);
    const number = this.#departed++;
    const departure = this.#departures[number];
    if (departure === undefined) this.#departures.push({ first, end, previous, units });
    else {
      departure.first = first;
      departure.end = end;
      departure.previous = previous;
      departure.units = units;
    }
    return number;
  }

  /** Returns what a branch that leaves blocks gives back. */
  departure(number: number): number {
    return this.#departures[number]?.units ?? 0;
  }

  /**
   * Decides on the branches to a block, where it ends, the last ones first. Code that comes to the end of the block is mostly executed: it is charged
   * together with what is in front of the branch. Code that leaves in another way mostly is not.
   *
   * @param lastDivision - The last conditional branch to it that divided a run, or NONE.
   * @param lastDeparture - The last branch to it that left blocks, or NONE.
   * @param isReached - Whether control comes to the block's end other than by a branch.
   */
  settle(lastDivision: number, lastDeparture: number, isReached: boolean): void {
    for (let number = lastDivision; number !== NONE;) number = this.#join(number, isReached);
    for (let number = lastDeparture; number !== NONE;) number = this.#settleDeparture(number);
  }

  /** Forgets everything, for the next body. */
  clear(): void {
    this.#divided = 0;
    this.#departed = 0;
    this.#left.length = 0;
    this.#first = 0;
  }

  #join(number: number, isReached: boolean): number {
    const division = this.#divisions[number];
    if (division === undefined) return NONE;
    const { run, rest, isSure, previous } = division;
    if (!run.isSettled && (isSure || isReached)) {
      division.units = rest.cost;
      run.cost += rest.cost;
      rest.cost = 0;
    }
    return previous;
  }

  #settleDeparture(number: number): number {
    const departure = this.#departures[number];
    if (departure === undefined) return NONE;
    const { first, end, previous } = departure;
    departure.units = this.#costs(first, end) - departure.units;
    for (let place = first; place < end; place++) {
      const run = this.#left[place];
      if (run !== undefined) run.isSettled = true;
    }
    return previous;
  }

  #costs(first: number, end: number): number {
    let units = 0;
    for (let place = first; place < end; place++) units += this.#left[place]?.cost ?? 0;
    return units;
  }
}
