// Further pages of a list come behind what is there as their link comes near. The address then says
// how many pictures are shown, so that whoever comes back to it finds the same place.

const NEAR = "150% 0px"; // of the window, before the link would be seen

export function goOnward() {
  const list = document.querySelector(".rows-onward");
  const link = () => document.querySelector(".more a[rel=next]");
  if (!list || !link()) return;

  const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && append(), {
    rootMargin: NEAR,
  });

  async function append() {
    watch.disconnect();
    const page = await fetched(link().href);
    const more = page?.querySelector(".rows-onward");
    if (!more) return; // the link stays what it is
    list.append(...unseen(list, more));
    list.dataset.last = more.dataset.last;
    link().closest(".more").replaceWith(page.querySelector(".more") ?? "");
    sayHowMany(list, page);
    if (link()) watch.observe(link());
  }

  watch.observe(link());
}

export async function fetched(url) {
  try {
    const answer = await fetch(url);
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null; // the site is not there any more, or this page is being left
  }
}

// Of a page's tiles those that belong behind a list: of a group of near duplicates that the edge of
// a page has split the best is there already, and so is the line before weaker matches.
function unseen(list, more) {
  const groups = new Set([...list.querySelectorAll("[data-group]")].map((t) => t.dataset.group));
  for (const tile of more.querySelectorAll("[data-group]")) {
    if (groups.has(tile.dataset.group)) (tile.closest(".cell") ?? tile).remove();
  }
  if (list.querySelector(".edge")) more.querySelectorAll(".edge, .rest").forEach((e) => e.remove());
  more.querySelectorAll("img").forEach((image) => (image.loading = "lazy"));
  return more.children;
}

function sayHowMany(list, page) {
  const url = new URL(location.href);
  url.searchParams.set("show", list.dataset.last - list.dataset.first + 1);
  history.replaceState(history.state, "", url);
  const last = document.querySelector(".summary .last");
  if (last) last.textContent = page.querySelector(".summary .last").textContent;
}
