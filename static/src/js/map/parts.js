// What the map's page consists of, and what it says: its texts stand in the page, translated.

export const root = document.querySelector(".map");
export const part = (name) => root.querySelector(`.map-${name}`);

// Of the canvas, in px.
export function size() {
  const { clientWidth, clientHeight } = part("frame");
  return [clientWidth, clientHeight];
}

export function say(what, number) {
  const text = root.dataset[what];
  part("said").textContent = text.replace("%(number)s", number?.toLocaleString());
}
