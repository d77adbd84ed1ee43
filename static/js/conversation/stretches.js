// Which numbers are known: stretches without holes, in order.

export class Stretches {
  constructor() {
    this.all = []; // {from, to}, both belong to it
  }

  add(from, to) {
    if (!(from <= to)) return; // nothing, or not a number
    const apart = this.all.filter((one) => one.to < from - 1 || one.from > to + 1);
    const touching = this.all.filter((one) => !apart.includes(one));
    const whole = {
      from: Math.min(from, ...touching.map((one) => one.from)),
      to: Math.max(to, ...touching.map((one) => one.to)),
    };
    this.all = [...apart, whole].sort((one, other) => one.from - other.from);
  }

  // The first hole after that number and up to the other: {from, to}, or null.
  hole(after, upTo) {
    let from = after + 1;
    for (const one of this.all) {
      if (one.from > from) break;
      from = Math.max(from, one.to + 1);
    }
    if (from > upTo) return null;
    const next = this.all.find((one) => one.from > from);
    return { from, to: Math.min(upTo, next ? next.from - 1 : upTo) };
  }

  // All up to that number does not matter any more.
  forget(number) {
    this.all = this.all.filter((one) => one.to > number);
  }
}
