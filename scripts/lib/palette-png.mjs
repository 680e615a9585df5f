// Makes pictures of an editor small: a PNG, or an animated one, of at most 64 colours, which is what
// such a picture has but for the edges of its letters.
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
  const { start, frames } = inOnePalette([png]);
  return Buffer.concat([...start, chunk('IDAT', deflated(frames[0])), chunk('IEND', nothing)]);
}

/**
 * An animated PNG of pictures of one size, which is repeated for ever. A picture is shown for its
 * milliseconds. Of each but the first only the rows that change are kept. Throws as `withPalette`.
 */
export function animated(pictures) {
  const { width, height, start, frames } = inOnePalette(pictures.map(({ png }) => png));
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames.length, 0);
  let sequence = 0;
  const numbered = () => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(sequence++, 0);
    return number;
  };
  const shown = frames.flatMap((rows, i) => {
    const { top, bottom } =
      i === 0 ? { top: 0, bottom: height } : changed(frames[i - 1], rows, width);
    const place = Buffer.alloc(22);
    place.writeUInt32BE(width, 0);
    place.writeUInt32BE(bottom - top, 4);
    place.writeUInt32BE(top, 12);
    place.writeUInt16BE(pictures[i].milliseconds, 16);
    place.writeUInt16BE(1000, 18);
    const data = deflated(rows.subarray(top * (width + 1), bottom * (width + 1)));
    return [
      chunk('fcTL', Buffer.concat([numbered(), place])),
      i === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([numbered(), data])),
    ];
  });
  return Buffer.concat([...start, chunk('acTL', control), ...shown, chunk('IEND', nothing)]);
}

const nothing = Buffer.alloc(0);

function deflated(rows) {
  return deflateSync(rows, { level: 9, memLevel: 9 });
}

/** The rows that differ, of which there is at least one: an empty picture is none. */
function changed(before, after, width) {
  const isSame = (row) => {
    const [from, to] = [row * (width + 1), (row + 1) * (width + 1)];
    return before.subarray(from, to).equals(after.subarray(from, to));
  };
  const height = after.length / (width + 1);
  let top = 0;
  while (top < height - 1 && isSame(top)) top++;
  let bottom = height;
  while (bottom > top + 1 && isSame(bottom - 1)) bottom--;
  return { top, bottom };
}

/** Pictures of one size as rows of numbers of one palette, and what a PNG of them begins with. */
function inOnePalette(pngs) {
  const pictures = pngs.map(decode);
  const { width, height } = pictures[0];
  if (pictures.some((one) => one.width !== width || one.height !== height))
    throw new Error('the pictures have different sizes');
  const counts = new Map();
  for (const picture of pictures) {
    for (let i = 0; i < width * height; i++) {
      const colour = colourAt(picture, i);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  const palette = choose(counts);
  const nearest = new Map([...counts.keys()].map((colour) => [colour, nearestOf(palette, colour)]));
  const frames = pictures.map((picture) => {
    const rows = Buffer.alloc((width + 1) * height);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++)
        rows[row * (width + 1) + 1 + column] = nearest.get(colourAt(picture, row * width + column));
    }
    return rows;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const table = Buffer.from(
    palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]),
  );
  return { width, height, frames, start: [signature, chunk('IHDR', header), chunk('PLTE', table)] };
}

function colourAt({ pixels, channels }, i) {
  return (pixels[i * channels] << 16) | (pixels[i * channels + 1] << 8) | pixels[i * channels + 2];
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
