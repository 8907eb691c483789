// A thumbnail that is clicked becomes the large picture: both sides of the page change carry the
// same view-transition name. The large picture's stands in the style sheet.

export function followThePicture() {
  addEventListener("click", (event) => {
    const image = event.target.closest?.("a[data-picture]")?.querySelector("img");
    if (!image || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const large = document.querySelector(".stage-picture");
    if (large) large.style.viewTransitionName = "none"; // a name may stand once on a page
    image.style.viewTransitionName = "picture";
    addEventListener("pagehide", () => {
      image.style.viewTransitionName = "";
      if (large) large.style.viewTransitionName = "";
    });
  });
}
