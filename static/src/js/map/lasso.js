// The lasso: a line that is drawn around points with a mouse, pen or finger.

export function takeLasso(surface, taken) {
  const line = surface.querySelector("polygon");
  let way = null;

  surface.addEventListener("pointerdown", (event) => {
    way = [[event.offsetX, event.offsetY]];
    surface.setPointerCapture(event.pointerId);
  });
  surface.addEventListener("pointermove", (event) => {
    if (!way) return;
    way.push([event.offsetX, event.offsetY]);
    line.setAttribute("points", way.join(" "));
  });
  surface.addEventListener("pointerup", () => end(way));
  surface.addEventListener("pointercancel", () => end(null));

  function end(drawn) {
    way = null;
    line.setAttribute("points", "");
    if (drawn?.length > 2) taken(drawn);
  }
}
