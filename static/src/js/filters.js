// A filter that is chosen from a menu is applied at once; typed ones are with Enter.

export function applyWhatIsChosen() {
  for (const menu of document.querySelectorAll(".filters select")) {
    menu.addEventListener("change", () => menu.form.requestSubmit());
  }
}
