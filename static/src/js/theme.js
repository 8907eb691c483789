// The theme is changed without a reload, and a page that comes out of the browser's memory, or was
// open beside the one where it was changed, takes it on. A cookie holds it: see web/theme.py.
// A script by itself: the page that says that Kindred is not running has it from the browser's cache.

const PAPER = { light: "#faf8f5", dark: "#141210" }; // as in app.css

function wear() {
  const theme = document.cookie.match(/(?:^|; )theme=(light|dark)/)?.[1] ?? "system";
  document.documentElement.dataset.theme = theme;
  document.querySelector("meta[name=color-scheme]").content =
    theme === "system" ? "light dark" : theme;
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    meta.content = PAPER[theme] ?? PAPER[meta.media.includes("dark") ? "dark" : "light"];
  }
  for (const button of document.querySelectorAll(".theme button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

async function change(event) {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams({ theme: event.submitter.value });
  const options = { method: "POST", body, redirect: "manual" };
  await fetch(form.action, options).then(wear, () => form.submit()); // the browser says what failed
}

wear();
document.querySelector(".theme")?.addEventListener("submit", change);
addEventListener("pageshow", wear);
addEventListener("visibilitychange", wear);
