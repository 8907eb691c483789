// A long list lies in several boxes, each of whole rows. Of those that are far away the height is
// kept and nothing drawn (content-visibility), however long the list becomes.
const MANY = 60; // pictures in a box
const FAR = "100% 0px"; // of the window

const away = new IntersectionObserver(
  (entries) => entries.forEach((entry) => entry.isIntersecting || setAside(entry.target)),
  { rootMargin: FAR },
);

// Has the boxes that `boxes` gives, now and later, laid out in whole rows.
export function layOut(boxes) {
  split(boxes()[0]);
  boxes().forEach(watch);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) settle(boxes());
    width = innerWidth;
  });
}

export function watch(box) {
  away.observe(box);
}

// Hides the last row, which more tiles may fill: nothing that is seen has to move when they come.
export function holdBack(box) {
  box.querySelectorAll(":scope > [hidden]").forEach((tile) => (tile.hidden = false));
  const row = lastRow(box);
  row.forEach((tile) => (tile.hidden = true));
  box.classList.toggle("rows-whole", row.length > 0);
}

// Moves what was held back to the next box.
export function handOn(box, next) {
  const held = [...box.querySelectorAll(":scope > [hidden]")];
  held.forEach((tile) => (tile.hidden = false));
  next.prepend(...held);
}

// The tiles of the last row; none where it is the only one.
function lastRow(box) {
  const tiles = [...box.children];
  const row = tiles.filter((tile) => tile.offsetTop === tiles.at(-1).offsetTop);
  return row.length < tiles.length ? row : [];
}

function setAside(box) {
  box.style.containIntrinsicHeight = getComputedStyle(box).height;
  box.classList.add("rows-aside");
  away.unobserve(box);
}

// A list that came as one box, into several.
function split(first) {
  let [box, count, top, weaker] = [first, 0, 0, false];
  for (const [tile, itsTop] of [...first.children].map((each) => [each, each.offsetTop])) {
    if (count >= MANY && itsTop > top) {
      const next = first.cloneNode(false);
      next.classList.toggle("rows-weaker", weaker);
      box.classList.add("rows-whole");
      box.after(next);
      [box, count] = [next, 0];
    }
    if (box !== first) box.append(tile);
    [count, top, weaker] = [count + 1, itsTop, weaker || tile.matches(".edge")];
  }
}

// In a window of another width other rows are whole.
function settle(boxes) {
  boxes.forEach((box) => box.classList.remove("rows-aside"));
  boxes.slice(0, -1).forEach((box, place) => {
    holdBack(box);
    handOn(box, boxes[place + 1]);
  });
  if (boxes.at(-1).querySelector(":scope > [hidden]")) holdBack(boxes.at(-1));
  boxes.forEach(watch);
}
