/* The theme colour, and the colours to write with on it and beside it: at least 4.5:1 whatever it is. */

const DEFAULT_ACCENT = "#146356";
/* The least favourable background of either scheme; widget.css sets the same. */
const BUBBLES = { light: [238, 244, 242], dark: [38, 52, 50] };

/* [red, green, blue] of any CSS colour; null when it is none. */
const rgbOf = (colour) => {
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const read = (before) => {
    brush.fillStyle = before;
    brush.fillStyle = colour;
    return brush.fillStyle;
  };
  const style = read("#000");
  if (style !== read("#fff")) return null;
  const hex = /^#(..)(..)(..)$/.exec(style);
  if (hex) return hex.slice(1).map((part) => parseInt(part, 16));
  brush.fillRect(0, 0, 1, 1);
  return [...brush.getImageData(0, 0, 1, 1).data.slice(0, 3)];
};

const luminance = (rgb) => {
  const [r, g, b] = rgb.map((part) => {
    const x = part / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

/* The colour itself, or as near to it as can be read on the background. */
const readable = (rgb, background) => {
  const end = luminance(background) > 0.18 ? 0 : 255;
  for (let part = 0; part <= 1; part += 0.05) {
    const mixed = rgb.map((value) => Math.round(value + (end - value) * part));
    if (contrast(mixed, background) >= 4.6) return mixed;
  }
  return [end, end, end];
};

const themeRules = (colour) => {
  const accent = rgbOf(colour) || rgbOf(DEFAULT_ACCENT);
  const [white, black] = [[255, 255, 255], [0, 0, 0]];
  const on = contrast(accent, white) >= 4.5 ? white : black;
  const css = (rgb) => `rgb(${rgb.join(" ")})`;
  const ink = (scheme) => css(readable(accent, BUBBLES[scheme]));
  return `:host{--accent:${css(accent)};--on-accent:${css(on)};--ink-light:${ink("light")};--ink-dark:${ink("dark")}}`;
};
