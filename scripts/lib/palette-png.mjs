// Makes pictures of an editor small: a PNG, or an animated one, of at most 64 colours, which is what
// such a picture has but for the edges of its letters.
import UPNG from 'upng-js';

const colours = 64;

/** A PNG with a palette. */
export function withPalette(png) {
  return animated([{ png, milliseconds: 0 }]);
}

/**
 * An animated PNG of pictures of one size, which is repeated for ever. A picture is shown for its
 * milliseconds.
 */
export function animated(pictures) {
  const decoded = pictures.map(({ png }) => UPNG.decode(new Uint8Array(png).buffer));
  const [{ width, height }] = decoded;
  if (decoded.some((one) => one.width !== width || one.height !== height))
    throw new Error('the pictures have different sizes');
  const pixels = decoded.map((one) => UPNG.toRGBA8(one)[0]);
  const times = pictures.map(({ milliseconds }) => milliseconds);
  return Buffer.from(UPNG.encode(pixels, width, height, colours, times));
}
