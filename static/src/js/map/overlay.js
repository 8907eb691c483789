// What lies on the canvas as elements of the page: the labels of clusters, and the pictures
// themselves where there is room for them. What would cover something more important is left out.

import { within } from "./points.js";

const MOST_PICTURES = 80;
const LOOKED_AT = 600; // more points in sight than that are too many for pictures
const PICTURE = 72; // px
const GAP = 4;

export class Overlay {
  constructor(element, points, clusters) {
    this.element = element;
    this.points = points;
    this.labels = clusters.map(label);
    this.pictures = new Map();
    element.append(...this.labels.map((each) => each.element));
  }

  // Where everything is now; `project` gives the pixels of a place on the map of a size in pixels.
  move(project, size) {
    for (const each of this.labels) put(each.element, whole(each, project(each.place), size));
    for (const each of this.pictures.values()) put(each.element, project(each.place));
  }

  // What there is room for, once the view stands still; `box` is what is in sight.
  settle(project, box, size) {
    const taken = [];
    for (const each of this.labels) {
      const centre = whole(each, project(each.place), size);
      const isFree = claim(taken, centre, each.element.offsetWidth, each.element.offsetHeight);
      each.element.classList.toggle("map-hidden", !isFree);
    }
    this.#show(this.#chosen(project, box, taken));
    this.move(project, size);
  }

  #chosen(project, box, taken) {
    const seen = within(this.points, box, LOOKED_AT + 1);
    if (seen.length > LOOKED_AT) return [];
    const free = seen.filter((i) => claim(taken, project(this.#place(i)), PICTURE, PICTURE));
    return free.slice(0, MOST_PICTURES);
  }

  #show(chosen) {
    for (const [i, { element }] of this.pictures) {
      if (chosen.includes(i)) continue;
      element.remove();
      this.pictures.delete(i);
    }
    for (const i of chosen) {
      if (this.pictures.has(i)) continue;
      const element = picture(this.points.ids[i]);
      this.element.append(element);
      this.pictures.set(i, { element, place: this.#place(i) });
    }
  }

  #place(i) {
    return this.points.positions.subarray(2 * i, 2 * i + 2);
  }
}

function put(element, [x, y]) {
  element.style.translate = `calc(${x}px - 50%) calc(${y}px - 50%)`;
}

// The middle of a label whose place is in sight, so that no edge cuts it.
function whole({ element }, [x, y], [width, height]) {
  if (x < 0 || y < 0 || x > width || y > height) return [x, y];
  const half = element.offsetWidth / 2;
  return [Math.max(Math.min(x, width - half), half), y];
}

// Take a box around a place, unless some of it is taken.
function claim(taken, [x, y], width, height) {
  const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
  const isFree = taken.every(
    ([left, top, right, bottom]) =>
      box[2] + GAP <= left || right + GAP <= box[0] || box[3] + GAP <= top || bottom + GAP <= box[1],
  );
  if (isFree) taken.push(box);
  return isFree;
}

function label({ title, url, place }) {
  const element = document.createElement("a");
  element.className = "map-label";
  element.href = url;
  element.textContent = title;
  // The list beside the map has the same links, for the keyboard and for readers.
  element.tabIndex = -1;
  return { element, place };
}

export function picture(id) {
  const element = document.createElement("a");
  element.className = "map-picture";
  element.href = `/pictures/${id}`;
  element.tabIndex = -1;
  element.append(thumbnail(id));
  return element;
}

export function thumbnail(id) {
  const image = new Image();
  image.src = `/pictures/${id}/thumb?size=256`;
  image.alt = "";
  return image;
}
