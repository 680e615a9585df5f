// Makes a picture of an editor small: a PNG of at most 64 colours, which is what such a picture has
// but for the edges of its letters.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
const colours = 64;
/** So many are taken as they are. */
const areas = 24;

/**
 * A PNG of 8 bits a channel, as a browser writes it, with a palette. Throws on any other kind of
 * PNG.
 */
export function withPalette(png) {
  const { width, height, channels, pixels } = decode(png);
  const counts = new Map();
  const colourAt = (i) =>
    (pixels[i * channels] << 16) | (pixels[i * channels + 1] << 8) | pixels[i * channels + 2];
  for (let i = 0; i < width * height; i++)
    counts.set(colourAt(i), (counts.get(colourAt(i)) ?? 0) + 1);
  const palette = choose(counts);
  const nearest = new Map([...counts.keys()].map((colour) => [colour, nearestOf(palette, colour)]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++)
      rows[row * (width + 1) + 1 + column] = nearest.get(colourAt(row * width + column));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const table = Buffer.from(
    palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]),
  );
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('PLTE', table),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * The colours that cover most, which are those of areas; then those that are far enough from them
 * to be worth an entry.
 */
function choose(counts) {
  const wanted = [...counts].sort(([, left], [, right]) => right - left).map(([colour]) => colour);
  for (let apart = 8; ; apart += 4) {
    const chosen = wanted.slice(0, areas);
    for (const colour of wanted.slice(areas)) {
      if (chosen.length > colours) break;
      if (chosen.every((other) => distance(other, colour) >= apart)) chosen.push(colour);
    }
    if (chosen.length <= colours) return chosen;
  }
}

function nearestOf(palette, colour) {
  const distances = palette.map((other) => distance(other, colour));
  return distances.indexOf(Math.min(...distances));
}

/** The greatest difference of left channel. */
function distance(left, right) {
  const channel = (shift) => Math.abs(((left >> shift) & 255) - ((right >> shift) & 255));
  return Math.max(channel(16), channel(8), channel(0));
}

function chunk(type, data) {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, 'latin1');
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])), 0);
  return Buffer.concat([head, data, tail]);
}

/** The pixels of a PNG, row by row. */
function decode(png) {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const [depth, kind, , , interlaced] = png.subarray(24, 29);
  const channels = { 2: 3, 6: 4 }[kind];
  if (depth !== 8 || channels === undefined || interlaced !== 0)
    throw new Error('not a PNG of 8 bits a channel');
  const data = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return {
    width,
    height,
    channels,
    pixels: unfilter(inflateSync(Buffer.concat(data)), width * channels, height, channels),
  };
}

/**
 * Takes the filters of the rows away: each pixel was written as the difference to what its
 * neighbours foretell.
 */
function unfilter(rows, stride, height, channels) {
  const pixels = Buffer.alloc(stride * height);
  for (let row = 0; row < height; row++) {
    const filter = rows[row * (stride + 1)];
    for (let column = 0; column < stride; column++) {
      const left = column >= channels ? pixels[row * stride + column - channels] : 0;
      const above = row > 0 ? pixels[(row - 1) * stride + column] : 0;
      const corner =
        column >= channels && row > 0 ? pixels[(row - 1) * stride + column - channels] : 0;
      const foretold = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
      pixels[row * stride + column] = rows[row * (stride + 1) + 1 + column] + foretold;
    }
  }
  return pixels;
}

function paeth(left, above, corner) {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((value) => Math.abs(guess - value));
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
