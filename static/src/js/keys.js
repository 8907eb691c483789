// What the keyboard does beyond the browser's own: keys.html tells of it. Letters and signs can be
// switched off, for those whose speech or shaking hands would press them.
import { backToTheList, step } from "./list.js";
import { toNeighbour } from "./neighbours.js";

const help = document.getElementById("keys");
const letters = document.getElementById("keys-on");

const LETTERS = {
  "/": () => document.getElementById("q").select(),
  "?": () => help.togglePopover(),
  r: () => help.querySelector("[data-random]").click(),
  i: () => document.querySelector(".about summary")?.click(),
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function takeKeys() {
  letters.checked = localStorage.getItem("keys") !== "off";
  letters.addEventListener("change", () => localStorage.setItem("keys", letters.checked ? "on" : "off"));
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, video")) return;
    if (help.matches(":popover-open") && event.key !== "?") return;
    if (pressed(event)) event.preventDefault();
  });
}

function pressed(event) {
  if (event.key in ARROWS) {
    if (event.shiftKey) return false;
    const [across, down] = ARROWS[event.key];
    return toNeighbour(event.target, across, down) || (across !== 0 && step(across));
  }
  if (event.key === "Escape") return backToTheList();
  const act = letters.checked && LETTERS[event.key];
  if (act) act();
  return Boolean(act);
}
