// Buttons, keys and the search of the map's page.

import { takeLasso } from "./lasso.js";
import { part } from "./parts.js";
import { inside } from "./points.js";

const STEP = 1; // a button's, in powers of two
const PACE = 80; // px for a key
const WAYS = {
  ArrowLeft: [-PACE, 0],
  ArrowRight: [PACE, 0],
  ArrowUp: [0, -PACE],
  ArrowDown: [0, PACE],
};
const ZOOMS = { "+": STEP, "=": STEP, "-": -STEP };

export function takeButtons(page) {
  part("nearer").addEventListener("click", () => page.zoom(STEP));
  part("farther").addEventListener("click", () => page.zoom(-STEP));
  part("whole").addEventListener("click", () => page.show(page.whole));
  const select = part("select");
  const surface = part("lasso");
  const toggle = (on) => {
    select.setAttribute("aria-pressed", on);
    surface.classList.toggle("map-hidden", !on);
  };
  select.addEventListener("click", () => toggle(select.getAttribute("aria-pressed") !== "true"));
  takeLasso(surface, (drawn) => {
    toggle(false);
    page.select(inside(page.points, drawn.map(page.projection.unproject)));
  });
  part("clear").addEventListener("click", () => page.select([]));
}

// deck.gl's own keys move the map the other way than maps on the web do.
export function takeArrows(page) {
  part("overlay").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const zoom = ZOOMS[event.key];
    const way = WAYS[event.key];
    if (!zoom && !way) return;
    event.preventDefault();
    if (zoom) page.zoom(zoom);
    else page.pan(way);
  });
}

export function takeSearch(page) {
  const form = part("search");
  const ask = () => page.search(form.elements.q.value.trim());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const url = new URL(location);
    url.searchParams.set("q", form.elements.q.value);
    history.replaceState(history.state, "", url);
    ask();
  });
  if (form.elements.q.value) ask();
}
