// A swipe over the large picture goes to the next or the one before. It begins away from the edges
// of the screen, which belong to the browser, and leaves up, down and two fingers to the page.
import { step } from "./list.js";

const EDGE = 24;
const FAR = 56;

export function takeSwipes() {
  const stage = document.querySelector(".stage");
  const picture = stage?.querySelector(".stage-picture");
  let start = null;

  const moved = ({ clientX, clientY }) => ({ x: clientX - start.clientX, y: clientY - start.clientY });
  const draw = (x) => (picture.style.translate = x ? `${x}px` : "");

  stage?.addEventListener("touchstart", ({ touches, target }) => {
    const [touch] = touches;
    const inside = touch.clientX > EDGE && touch.clientX < innerWidth - EDGE;
    const alone = touches.length === 1 && visualViewport.scale === 1;
    start = inside && alone && !target.closest("video") ? touch : null;
  }, { passive: true });
  stage?.addEventListener("touchmove", ({ touches }) => {
    if (!start) return;
    const { x, y } = moved(touches[0]);
    if (touches.length > 1 || Math.abs(y) > Math.max(12, Math.abs(x))) start = null;
    draw(start ? x : 0);
  }, { passive: true });
  stage?.addEventListener("touchend", ({ changedTouches }) => {
    if (!start) return;
    const { x } = moved(changedTouches[0]);
    start = null;
    if (Math.abs(x) < FAR || !step(x < 0 ? 1 : -1)) draw(0);
  });
  stage?.addEventListener("touchcancel", () => {
    start = null;
    draw(0);
  });
}
