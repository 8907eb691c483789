// In a grid the arrow keys go from picture to picture, and Tab goes as it does everywhere.

export function toNeighbour(from, across, down) {
  if (!from.matches("main a[data-picture]")) return false;
  const tiles = [...document.querySelectorAll("main a[data-picture]")];
  const next = down ? above(tiles, from, down) : tiles[tiles.indexOf(from) + across];
  next?.focus();
  return Boolean(next);
}

// Of the nearest row in a direction the tile whose middle is nearest.
function above(tiles, from, down) {
  const middle = (tile) => tile.getBoundingClientRect().x + tile.clientWidth / 2;
  const top = (tile) => Math.round(tile.getBoundingClientRect().top);
  const beyond = tiles.filter((tile) => (top(tile) - top(from)) * down > from.clientHeight / 2);
  const row = Math.min(...beyond.map((tile) => top(tile) * down)) * down;
  const far = (tile) => Math.abs(middle(tile) - middle(from));
  return beyond.filter((t) => top(t) === row).sort((one, other) => far(one) - far(other))[0];
}
