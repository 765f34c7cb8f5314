/**
 * Randomness that is the same in every replay (REP4).
 *
 * Owns: the words that a run draws from its 128 random bits. They are the keystream of ChaCha20 (RFC 8439), so a reader
 * of earlier values cannot compute later ones. Runs without flag 9 draw from xoshiro128** (Blackman and Vigna 2018).
 */
import { chacha20 } from "@noble/ciphers/chacha.js";

/** Returns the next 32 random bits. */
type Words = () => number;

/** The keystream is computed in pieces of four blocks, bytes. */
const PIECE_BYTES = 256;

const WORD_BYTES = 4;

export class Randomness {
  readonly #next: Words;

  /** `seed`: 32 hexadecimal digits. */
  constructor(seed: string, keyed: boolean) {
    this.#next = (keyed ? keyedWords : xoshiroWords)(seed);
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
}

/**
 * The key is the seed twice, and the nonce is zero: only a resumed run has the key of another run, whose values it draws
 * again. Nothing is computed before the first use.
 */
function keyedWords(seed: string): Words {
  let piece: DataView | undefined;
  let at = 0;
  let blocks = 0;
  return () => {
    if (piece === undefined || at === PIECE_BYTES) {
      const key = Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt((seed + seed).slice(2 * i, 2 * i + 2), 16));
      piece = new DataView(chacha20(key, new Uint8Array(12), new Uint8Array(PIECE_BYTES), undefined, blocks).buffer);
      blocks += PIECE_BYTES / 64;
      at = 0;
    }
    const word = piece.getUint32(at, true);
    at += WORD_BYTES;
    return word;
  };
}

function xoshiroWords(seed: string): Words {
  let [a = 0, b = 0, c = 0, d = 0] = [0, 8, 16, 24].map((at) => Number.parseInt(seed.slice(at, at + 8), 16));
  // The generator returns only zeros from an all-zero state.
  if ((a | b | c | d) === 0) a = 1;
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const carried = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= carried;
    d = rotate(d, 11);
    return result;
  };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
