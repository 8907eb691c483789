// What the pages do beyond links and forms. Every page works without it.
import { applyWhatIsChosen } from "./filters.js";
import { chooseFolders } from "./folder.js";
import { followThePicture } from "./follow.js";
import { takePictures } from "./drop.js";
import { suggest } from "./suggest.js";
import { keepTheOfflinePage } from "./worker.js";

takePictures();
followThePicture();
applyWhatIsChosen();
keepTheOfflinePage();
chooseFolders();
suggest();

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  document.getElementById("q").select();
});
