// A picture that is dropped anywhere, pasted, or chosen is searched with.

const form = document.querySelector(".bar-picture");
const field = form.querySelector("input");
const curtain = document.querySelector(".drop");

function searchWith(files) {
  const picture = [...files].find((file) => file.type.startsWith("image/")) ?? files[0];
  if (!picture) return;
  const transfer = new DataTransfer();
  transfer.items.add(picture);
  field.files = transfer.files;
  form.requestSubmit();
}

export function takePictures() {
  let fromThisPage = false; // dragging one of our own pictures is no upload
  const isFile = (event) => !fromThisPage && event.dataTransfer?.types.includes("Files");

  field.addEventListener("change", () => field.files.length && form.requestSubmit());
  addEventListener("dragstart", () => (fromThisPage = true));
  addEventListener("dragend", () => (fromThisPage = false));
  addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    curtain.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) curtain.hidden = true; // out of the window
  });
  addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    curtain.hidden = true;
    searchWith(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) searchWith(event.clipboardData.files);
  });
  // The back button brings the page back as it was left, with the file still chosen.
  addEventListener("pageshow", () => form.reset());
}
