// The colours of points: by cluster as search/map_picture.py has them, brighter on dark ground.
// While some are lit, the others are hardly there.

const TURN = 0.618034; // of the circle of hues: neighbours in number are far apart in colour
const LIGHTNESS = [45, 55, 38];
const BRIGHTER = 18;
const SOLID = 220;
const FAINT = 36;

export function coloured({ count, clusters }, lit) {
  const solid = lit && new Set(lit);
  const known = new Map();
  const colours = new Uint8Array(4 * count);
  for (let i = 0; i < count; i++) {
    const cluster = clusters[i];
    if (!known.has(cluster)) known.set(cluster, rgb(cssColour(cluster)));
    colours.set(known.get(cluster), 4 * i);
    colours[4 * i + 3] = !solid || solid.has(i) ? SOLID : FAINT;
  }
  return colours;
}

function cssColour(cluster) {
  const dark = isDark();
  if (cluster < 0) return dark ? "hsl(0 0% 45%)" : "hsl(35 8% 72%)";
  const lightness = LIGHTNESS[Math.floor(cluster / 8) % 3] + (dark ? BRIGHTER : 0);
  return `hsl(${((cluster * TURN) % 1) * 360} 62% ${lightness}%)`;
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function rgb(css) {
  pixel.fillStyle = css;
  pixel.fillRect(0, 0, 1, 1);
  return pixel.getImageData(0, 0, 1, 1).data.subarray(0, 3);
}
