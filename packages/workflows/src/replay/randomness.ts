/**
 * Randomness that is the same in every replay (REP4).
 *
 * Owns: the generator (xoshiro128**, Blackman and Vigna 2018), seeded with the run's 128 random bits.
 */

export class Randomness {
  readonly #s: Uint32Array;

  /** `seed`: 32 hexadecimal digits. */
  constructor(seed: string) {
    this.#s = Uint32Array.from([0, 8, 16, 24], (at) => Number.parseInt(seed.slice(at, at + 8), 16));
    // The generator returns only zeros from an all-zero state.
    if (this.#s.every((word) => word === 0)) this.#s[0] = 1;
  }

  /** A number in [0, 1) with 53 random bits. */
  number(): number {
    return ((this.#next() >>> 5) * 2 ** 26 + (this.#next() >>> 6)) / 2 ** 53;
  }

  /** A version 4 UUID. */
  uuid(): string {
    const words = [this.#next(), this.#next(), this.#next(), this.#next()];
    const hex = words.map((word) => word.toString(16).padStart(8, "0")).join("");
    const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  #next(): number {
    let [a = 0, b = 0, c = 0, d = 0] = this.#s;
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const carried = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= carried;
    d = rotate(d, 11);
    this.#s.set([a, b, c, d]);
    return result;
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
