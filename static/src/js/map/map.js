// The map page: every picture a point. Without scripts or WebGL there is the list of clusters below.

import { takeArrows, takeButtons, takeSearch } from "./controls.js";
import { MapPage } from "./page.js";
import { part, root } from "./parts.js";
import { fetchPoints, placed } from "./points.js";

async function begin() {
  const [points, answer] = await Promise.all([fetchPoints(root.dataset.points), fetch(root.dataset.map)]);
  const { clusters } = await answer.json();
  const page = new MapPage(
    points,
    clusters
      .toSorted((one, other) => other.pictures - one.pictures)
      .map(({ name, labels, title, x, y, urls }) => ({
        title: name ?? labels[0] ?? title,
        url: urls.page,
        place: [placed(x), placed(y)],
      })),
  );
  takeButtons(page);
  takeArrows(page);
  takeSearch(page);
  page.settle();
  const recolour = () => page.colour();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

if (document.createElement("canvas").getContext("webgl2")) begin();
else part("said").textContent = root.dataset.unable;
