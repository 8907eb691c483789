// A swipe over the large picture goes to the next or the one before. It begins away from the edges
// of the screen, which belong to the browser, and leaves up, down and two fingers to the page.
// While a page is still fading in, all of it answers as the root element: hence the whole document
// is listened to, so that whoever swipes quickly loses none.
import { step } from "./list.js";

const EDGE = 24;
const FAR = 56;

export function takeSwipes() {
  const stage = document.querySelector(".stage");
  if (!stage) return;
  const picture = stage.querySelector(".stage-picture");
  let start = null;

  const moved = ({ clientX, clientY }) => ({ x: clientX - start.clientX, y: clientY - start.clientY });
  const over = ({ target, clientY }) => {
    const { top, bottom } = stage.getBoundingClientRect();
    const fading = target === document.documentElement;
    return fading ? clientY > top && clientY < bottom : stage.contains(target) && !target.closest("video");
  };
  const draw = (x) => (picture.style.translate = x ? `${x}px` : "");

  document.addEventListener("touchstart", ({ touches }) => {
    const [touch] = touches;
    const inside = touch.clientX > EDGE && touch.clientX < innerWidth - EDGE;
    const alone = touches.length === 1 && visualViewport.scale === 1;
    start = inside && alone && over(touch) ? touch : null;
  }, { passive: true });
  document.addEventListener("touchmove", ({ touches }) => {
    if (!start) return;
    const { x, y } = moved(touches[0]);
    if (touches.length > 1 || Math.abs(y) > Math.max(12, Math.abs(x))) start = null;
    draw(start ? x : 0);
  }, { passive: true });
  document.addEventListener("touchend", ({ changedTouches }) => {
    if (!start) return;
    const { x } = moved(changedTouches[0]);
    start = null;
    if (Math.abs(x) < FAR || !step(x < 0 ? 1 : -1)) draw(0);
  });
  document.addEventListener("touchcancel", () => {
    start = null;
    draw(0);
  });
}
