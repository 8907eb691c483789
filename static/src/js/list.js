// The list that a picture was opened from: what is before and behind it there, and the way back.
// A click on a tile remembers the list; the page of the picture keeps it with its place in the
// browser's history, so that it is still the same one after going on and coming back.
import { fetched } from "./onward.js";

const walk = document.querySelector(".walk");
const sides = { "-1": document.querySelector(".side-previous"), 1: document.querySelector(".side-next") };
let list = null;

export function rememberTheList() {
  addEventListener("click", (event) => {
    const tile = event.target.closest?.("main a[data-picture]");
    if (tile) keep(listOf(tile));
  });
  addEventListener("pageshow", showWhatWasSeen);
  if (walk) enter();
}

// One step to the side: -1 or 1. The address is replaced, so that Back leads to the list.
export function step(by) {
  const side = sides[by];
  if (!side || side.hidden) return false;
  if (list) location.replace(side.href);
  else location.assign(side.href);
  return true;
}

// Back to the list, by the browser's history where that leads there: then it is as it was left.
export function backToTheList() {
  if (!walk) return;
  const entry = window.navigation?.entries().find((each) => each.key === list?.key);
  if (entry) navigation.traverseTo(entry.key);
  else location.assign(list?.url ?? walk.dataset.list);
}

function listOf(tile) {
  const tiles = [...document.querySelectorAll("main a[data-picture]")];
  // In two columns they stand otherwise in the document than they are seen.
  if (walk) tiles.sort((one, other) => one.offsetTop - other.offsetTop);
  return {
    url: location.href,
    key: window.navigation?.currentEntry?.key,
    ids: [...new Set(tiles.map((each) => each.dataset.picture))],
    search: tile.search,
    next: document.querySelector(".more a[rel=next]")?.href,
  };
}

function keep(found) {
  try {
    sessionStorage.setItem("list", JSON.stringify(found));
  } catch {
    // Without storage there is no list, and the page's own links lead on.
  }
}

function kept() {
  const found = JSON.parse(sessionStorage.getItem("list"));
  return found?.search === location.search && found.ids.includes(walk.dataset.id) ? found : null;
}

function enter() {
  document.querySelector(".trail")?.scrollTo(10_000, 0); // to where the walk has come
  list = history.state?.list ?? kept();
  if (!list) return;
  sessionStorage.setItem("seen", JSON.stringify({ url: list.url, id: walk.dataset.id }));
  showSides();
  for (const by of [-1, 1]) {
    sides[by].addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      step(by);
    });
  }
  if (list.next && place() > list.ids.length - 4) lengthen();
}

const place = () => list.ids.indexOf(walk.dataset.id);

function showSides() {
  history.replaceState({ ...history.state, list }, "");
  keep(list);
  for (const by of [-1, 1]) {
    const id = list.ids[place() + by];
    sides[by].hidden = !id;
    if (id) sides[by].href = `/pictures/${id}${list.search}`;
  }
}

async function lengthen() {
  const page = await fetched(list.next);
  if (!page) return;
  const more = [...page.querySelectorAll(".rows a[data-picture]")].map((a) => a.dataset.picture);
  list.ids.push(...more.filter((id) => !list.ids.includes(id)));
  list.next = page.querySelector(".more a[rel=next]")?.getAttribute("href");
  showSides();
}

// Whoever comes back from another picture of the list than was opened finds that one.
function showWhatWasSeen() {
  const seen = JSON.parse(sessionStorage.getItem("seen"));
  if (seen?.url !== location.href) return;
  sessionStorage.removeItem("seen");
  const tile = document.querySelector(`main a[data-picture="${seen.id}"]`);
  tile?.focus({ preventScroll: true });
  tile?.scrollIntoView({ block: "nearest" });
}
