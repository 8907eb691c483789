// In the window of `python app.py --window`: a folder from the system's own dialog, for a field.

export function chooseFolders() {
  addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-folder-for]");
    if (!button) return;
    const answer = await fetch(button.dataset.from, { method: "POST" });
    const { folder } = await answer.json();
    const field = document.getElementById(button.dataset.folderFor);
    if (!folder) return;
    field.value = folder;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  });
}
