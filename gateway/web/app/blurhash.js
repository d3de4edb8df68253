// Decodes a BlurHash (a photo's colours in some twenty characters) and paints it on a canvas.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

function number(text) {
  let value = 0;
  for (const character of text) value = value * 83 + DIGITS.indexOf(character);
  return value;
}

function toLinear(byte) {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function toByte(linear) {
  const value = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055));
}

function signedSquare(value) {
  return Math.sign(value) * value * value;
}

function components(hash) {
  const maximum = (number(hash[1]) + 1) / 166;
  const average = number(hash.slice(2, 6));
  const colours = [[toLinear(average >> 16), toLinear((average >> 8) & 255), toLinear(average & 255)]];
  for (let start = 6; start + 2 <= hash.length; start += 2) {
    const value = number(hash.slice(start, start + 2));
    const channels = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
    colours.push(channels.map((channel) => signedSquare((channel - 9) / 9) * maximum));
  }
  return colours;
}

/** Give the RGBA bytes of a blurred picture. */
export function decode(hash, width, height) {
  const across = (number(hash[0]) % 9) + 1;
  const colours = components(hash);
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const sum = [0, 0, 0];
      colours.forEach((colour, index) => {
        const basis = Math.cos((Math.PI * x * (index % across)) / width) * Math.cos((Math.PI * y * Math.floor(index / across)) / height);
        for (let channel = 0; channel < 3; channel += 1) sum[channel] += colour[channel] * basis;
      });
      pixels.set([toByte(sum[0]), toByte(sum[1]), toByte(sum[2]), 255], (y * width + x) * 4);
    }
  }
  return pixels;
}

/** Make a canvas with the blurred picture; the browser stretches its few pixels smoothly. */
export function blurCanvas(hash) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 32;
  canvas.setAttribute("aria-hidden", "true");
  canvas.className = "blur";
  if (hash && hash.length >= 6) canvas.getContext("2d").putImageData(new ImageData(decode(hash, 32, 32), 32, 32), 0, 0);
  return canvas;
}
