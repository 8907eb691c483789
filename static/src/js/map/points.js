// A map's points as the API sends them, column by column (docs/openapi.yaml), and where they are.

const SIDE = 1024; // of the square of the map, in its own units
const LARGEST = 65535;
const NO_CLUSTER = 65535;
const HEAD = 8;

export async function fetchPoints(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return unpacked(await response.arrayBuffer());
}

// {count, ids, clusters (-1: none), positions (x and y in turn), box (what they lie in)}
function unpacked(buffer) {
  const count = new DataView(buffer).getUint32(4, true);
  const ids = new Uint32Array(buffer, HEAD, count);
  const columns = new Uint16Array(buffer, HEAD + 4 * count, 3 * count);
  const positions = new Float32Array(2 * count);
  const clusters = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    positions[2 * i] = placed(columns[i]);
    positions[2 * i + 1] = placed(columns[count + i]);
    const cluster = columns[2 * count + i];
    clusters[i] = cluster === NO_CLUSTER ? -1 : cluster;
  }
  return { count, ids, clusters, positions, box: around(positions) };
}

function around(positions) {
  const box = [SIDE, SIDE, 0, 0];
  for (let i = 0; i < positions.length; i += 2) {
    box[0] = Math.min(box[0], positions[i]);
    box[1] = Math.min(box[1], positions[i + 1]);
    box[2] = Math.max(box[2], positions[i]);
    box[3] = Math.max(box[3], positions[i + 1]);
  }
  return box;
}

export function placed(coordinate) {
  return (coordinate / LARGEST) * SIDE;
}

// The numbers of the points in a box [left, top, right, bottom], at most so many.
export function within({ count, positions }, [left, top, right, bottom], most = Infinity) {
  const found = [];
  for (let i = 0; i < count && found.length < most; i++) {
    const x = positions[2 * i];
    const y = positions[2 * i + 1];
    if (x >= left && x <= right && y >= top && y <= bottom) found.push(i);
  }
  return found;
}

// The numbers of the points inside a polygon of [x, y]: even-odd rule.
export function inside(points, polygon) {
  const xs = polygon.map(([x]) => x);
  const ys = polygon.map(([, y]) => y);
  const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  return within(points, box).filter((i) =>
    isInside(polygon, points.positions[2 * i], points.positions[2 * i + 1]),
  );
}

function isInside(polygon, x, y) {
  let odd = false;
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon.at(i - 1);
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
  });
  return odd;
}
