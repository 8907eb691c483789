// Further pages of a list come behind what is there as their link comes near. The address then says
// how many pictures are shown, so that whoever comes back to it finds the same place.
import { handOn, holdBack, layOut, watch } from "./rows.js";

const NEAR = "150% 0px"; // of the window, before the link would be seen

export function goOnward() {
  const boxes = () => [...document.querySelectorAll(".rows-onward")];
  const link = () => document.querySelector(".more a[rel=next]");
  if (!boxes().length) return;

  const near = new IntersectionObserver(([entry]) => entry.isIntersecting && append(), {
    rootMargin: NEAR,
  });

  async function append() {
    near.disconnect();
    const page = await fetched(link().href);
    const more = page?.querySelector(".rows-onward");
    if (!more) return; // the link stays what it is
    const last = boxes().at(-1);
    leaveOutWhatIsThere(more);
    handOn(last, more);
    last.after(more);
    watch(more);
    link().closest(".more").replaceWith(page.querySelector(".more") ?? "");
    sayHowMany(boxes(), page);
    goOn();
  }

  function goOn() {
    document.body.classList.toggle("goes-on", Boolean(link()));
    if (!link()) return;
    holdBack(boxes().at(-1));
    near.observe(link());
  }

  layOut(boxes);
  goOn();
}

export async function fetched(url) {
  try {
    const answer = await fetch(url);
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null; // the site is not there any more, or this page is being left
  }
}

// Of a group of near duplicates that the edge of a page has split the best is there already, and so
// may be the line before weaker matches.
function leaveOutWhatIsThere(more) {
  const there = [...document.querySelectorAll(".rows-onward [data-group]")];
  const groups = new Set(there.map((tile) => tile.dataset.group));
  for (const tile of more.querySelectorAll("[data-group]")) {
    if (groups.has(tile.dataset.group)) (tile.closest(".cell") ?? tile).remove();
  }
  if (document.querySelector(".edge")) {
    more.querySelectorAll(".edge, .rest").forEach((each) => each.remove());
    more.classList.add("rows-weaker");
  }
  more.querySelectorAll("img").forEach((image) => (image.loading = "lazy"));
}

function sayHowMany(boxes, page) {
  const url = new URL(location.href);
  url.searchParams.set("show", boxes.at(-1).dataset.last - boxes[0].dataset.first + 1);
  history.replaceState(history.state, "", url);
  const last = document.querySelector(".summary .last");
  if (last) last.textContent = page.querySelector(".summary .last").textContent;
}
