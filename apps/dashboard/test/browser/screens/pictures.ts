/**
 * Pictures of pages as files, and how much two of them differ.
 *
 * Owns: the encoding, and the comparison. The browser reads the pixels. Two pictures are compared by blocks of `BLOCK_PX`:
 * other fonts change a block a little; a missing part, another order or another colour changes blocks much. `differenceOf`
 * is the part of the blocks that changed much.
 */
import { crc32, deflateSync } from "node:zlib";
import type { Page } from "playwright-core";

const BLOCK_PX = 16;
/** The numbers of colours that are tried, the best first. */
const COLOURS = [128, 64, 48, 32, 24];
/** A block differs if a colour of it changes by so much in the mean, of 255. */
const COLOUR_MIN = 24;
export const PICTURE = { animations: "disabled", caret: "hide" } as const;

/** Takes a picture of what the window shows, as a file of at most so many bytes. `canvas` is a page without a policy. */
export async function takePicture(page: Page, canvas: Page, bytesMax: number): Promise<Buffer> {
  const png = (await page.screenshot(PICTURE)).toString("base64");
  for (const colours of COLOURS) {
    const { width, height, palette, places } = await canvas.evaluate(reduceColours, { png, colours });
    const bytes = encodePng(width, height, palette, Buffer.from(places, "base64"));
    if (bytes.length <= bytesMax) return bytes;
  }
  throw new Error(`The picture of ${page.url()} is larger than ${bytesMax} bytes.`);
}

interface Reduced {
  readonly width: number;
  readonly height: number;
  /** Each colour as 0xBBGGRR. */
  readonly palette: readonly number[];
  /** The place in the palette of each pixel, a byte each, as base64. */
  readonly places: string;
}

/** Executes in the page: keeps the most frequent colours, and gives each pixel the nearest of them. */
async function reduceColours({ png, colours }: { readonly png: string; readonly colours: number }): Promise<Reduced> {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new Error("The browser has no canvas.");
  context.drawImage(image, 0, 0);
  const words = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map<number, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const distance = (a: number, b: number): number =>
    Math.hypot(...[0, 8, 16].map((shift) => ((a >>> shift) & 255) - ((b >>> shift) & 255)));
  const palette: number[] = [];
  // A colour near one of the palette gets no place, the rarer the less near: so the few pixels of a failure get theirs.
  for (const [word] of [...counts].toSorted(([, a], [, b]) => b - a))
    if (palette.length < colours && palette.every((one) => distance(word, one) >= (counts.get(word) ?? 0) ** -0.2 * 60))
      palette.push(word & 0xff_ff_ff);
  const nearest = (word: number): number => {
    const distances = palette.map((one) => distance(word, one));
    return distances.indexOf(Math.min(...distances));
  };
  const places = new Map([...counts.keys()].map((word) => [word, String.fromCharCode(nearest(word))]));
  return { width, height, palette, places: btoa(Array.from(words, (word) => places.get(word) ?? "").join("")) };
}

/** Encodes an image with a palette, which is a fraction of the size of one without. */
function encodePng(width: number, height: number, palette: readonly number[], places: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Eight bits for a place in the palette.
  head.set([8, 3], 8);
  const rows = Array.from({ length: height }, (_, y) => [Buffer.of(0), places.subarray(y * width, (y + 1) * width)]);
  const colours = palette.flatMap((word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255]);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunkOf("IHDR", head),
    chunkOf("PLTE", Buffer.from(colours)),
    chunkOf("IDAT", deflateSync(Buffer.concat(rows.flat()), { level: 9 })),
    chunkOf("IEND", Buffer.alloc(0)),
  ]);
}

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Returns the part of the blocks that differ, from 0 to 1. Pictures of different sizes differ wholly. */
export function differenceOf(canvas: Page, a: Buffer, b: Buffer): Promise<number> {
  return canvas.evaluate(
    async ({ sources, block, min }) => {
      const blocksOf = async (source: string) => {
        const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${source}`)).blob());
        const [width, height] = [Math.ceil(image.width / block), Math.ceil(image.height / block)];
        const context = new OffscreenCanvas(width, height).getContext("2d");
        if (context === null) throw new Error("The browser has no canvas.");
        context.imageSmoothingQuality = "high";
        context.drawImage(image, 0, 0, width, height);
        return { size: `${image.width} ${image.height}`, data: context.getImageData(0, 0, width, height).data };
      };
      const [one, other] = await Promise.all(sources.map(blocksOf));
      if (one === undefined || other === undefined || one.size !== other.size) return 1;
      let differing = 0;
      for (let at = 0; at < one.data.length; at += 4)
        if ([0, 1, 2].some((of) => Math.abs((one.data[at + of] ?? 0) - (other.data[at + of] ?? 0)) >= min)) differing++;
      return differing / (one.data.length / 4);
    },
    { sources: [a, b].map((bytes) => bytes.toString("base64")), block: BLOCK_PX, min: COLOUR_MIN },
  );
}
