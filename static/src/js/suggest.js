// Below the search bar: the last searches while it is empty, then what the library has that fits
// what is being typed.
import { combobox } from "./combobox.js";
import { forget, recent, remember } from "./recent.js";

const PAUSE = 120; // ms without a key, before the server is asked

const field = document.getElementById("q");
const popup = document.querySelector(".suggestions");
const sample = popup?.querySelector("template");
const box = popup && combobox(field, popup, choose);
let timer;
let asking = new AbortController();

function choose(option) {
  const { text, cursor } = option.dataset;
  box.hide();
  if (!cursor) return location.assign(`${field.form.action}?q=${encodeURIComponent(text)}`);
  field.value = text;
  field.setSelectionRange(cursor, cursor);
}

function listRecent() {
  popup.classList.add("suggestions-recent");
  box.show(recent().map(asOption));
}

function asOption(text) {
  const option = sample.content.firstElementChild.cloneNode(true);
  option.dataset.text = text;
  option.querySelector(".suggestion-name").textContent = text;
  return option;
}

async function ask() {
  asking = new AbortController();
  const asked = new URLSearchParams({ q: field.value, at: field.selectionStart });
  try {
    const answer = await fetch(`${popup.dataset.from}?${asked}`, { signal: asking.signal });
    if (!answer.ok || document.activeElement !== field) return box.hide();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    popup.classList.remove("suggestions-recent");
    box.show([...page.querySelectorAll("[role=option]")]);
  } catch {
    // a newer question, or no server: the bar works as ever
  }
}

function update() {
  clearTimeout(timer);
  asking.abort();
  if (field.value) timer = setTimeout(ask, PAUSE);
  else listRecent();
}

export function suggest() {
  if (!popup) return;
  const searched = new URLSearchParams(location.search).get("q");
  const understood = field.getAttribute("aria-invalid") !== "true";
  if (location.pathname === new URL(field.form.action).pathname && searched && understood) {
    remember(searched);
  }
  field.addEventListener("input", update);
  field.addEventListener("focus", () => field.value || listRecent());
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && popup.hidden) update();
  });
  popup.querySelector("button").addEventListener("click", () => {
    forget();
    field.focus();
    box.hide();
  });
}
