// A list below a field, by the combobox pattern of ARIA 1.2: the focus stays in the field, which
// names the option that the arrows have reached; nothing is chosen before they have.

export function combobox(field, popup, choose) {
  const list = popup.querySelector("[role=listbox]");
  const options = () => [...list.children];
  let active = -1;

  function show(items) {
    list.replaceChildren(...items);
    items.forEach((item, number) => (item.id = `option-${number}`));
    activate(-1);
    popup.hidden = !items.length;
    field.setAttribute("aria-expanded", String(!popup.hidden));
  }

  function hide() {
    show([]);
  }

  function activate(number) {
    active = number;
    options().forEach((item, at) => item.setAttribute("aria-selected", String(at === active)));
    if (active < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", options()[active].id);
  }

  function move(step) {
    const places = options().length + 1; // one of them is the field
    activate(((active + 1 + step + places) % places) - 1);
  }

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Escape: hide,
    Enter: () => active >= 0 && choose(options()[active]),
  };

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");
  field.setAttribute("aria-controls", list.id);
  field.addEventListener("keydown", (event) => {
    // Enter also ends the composition of a Korean syllable.
    if (popup.hidden || event.isComposing || !(event.key in keys)) return;
    if (event.key === "Enter" && active < 0) return; // which sends the form
    event.preventDefault();
    keys[event.key]();
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) choose(item);
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays
  field.form.addEventListener("focusout", (event) => {
    if (!popup.contains(event.relatedTarget) && event.relatedTarget !== field) hide();
  });
  addEventListener("pagehide", hide);
  return { show, hide };
}
