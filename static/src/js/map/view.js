// The view of a map: where it stands, in the address too, so that a link keeps it.

const FILLED = 0.88; // of the canvas by the whole map
const DEEPEST = 6; // powers of two below the whole

// All of a box [left, top, right, bottom] of the map.
export function whole([left, top, right, bottom], width, height) {
  const scale = Math.min(width / (right - left || 1), height / (bottom - top || 1));
  const zoom = Math.log2(scale * FILLED);
  const target = [(left + right) / 2, (top + bottom) / 2, 0];
  return { target, zoom, minZoom: zoom - 1, maxZoom: zoom + DEEPEST };
}

// What the address says, as far as it makes sense, else the view that is given.
export function addressed(start) {
  const numbers = location.hash.slice(1).split(",").filter(Boolean).map(Number);
  if (numbers.length !== 3 || !numbers.every(Number.isFinite)) return start;
  const [x, y, zoom] = numbers;
  const { minZoom, maxZoom } = start;
  return { ...start, target: [x, y, 0], zoom: Math.min(Math.max(zoom, minZoom), maxZoom) };
}

export function remember({ target: [x, y], zoom }) {
  const hash = [x, y].map((each) => each.toFixed(1)).concat(zoom.toFixed(2)).join(",");
  history.replaceState(history.state, "", `${location.pathname}${location.search}#${hash}`);
}

// The pixels of a place, and the other way round.
export function projection({ target, zoom }, width, height) {
  const scale = 2 ** zoom;
  return {
    project: ([x, y]) => [(x - target[0]) * scale + width / 2, (y - target[1]) * scale + height / 2],
    unproject: ([x, y]) => [(x - width / 2) / scale + target[0], (y - height / 2) / scale + target[1]],
  };
}
