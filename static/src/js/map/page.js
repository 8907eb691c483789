// The points on their canvas, by deck.gl, with labels and pictures above them: where one looks, what
// is lit, what is selected.

import { Deck, OrthographicView, ScatterplotLayer } from "/static/vendor/deck.min.js";
import { coloured } from "./colours.js";
import { Overlay, picture, thumbnail } from "./overlay.js";
import { part, root, say, size } from "./parts.js";
import { addressed, projection, remember, whole } from "./view.js";

const SETTLED = 140; // ms without a move
const SPREAD = 0.16; // of a point's share of the canvas, its radius
const LARGER = 1.8; // a lit point than others
const APART = 12; // px between the pointer and the picture that it is on
const MOST_LISTED = 60;
const MOST_LIT = 200;
const MOST_TERMS = 8;

export class MapPage {
  constructor(points, clusters) {
    this.points = points;
    this.lit = null;
    this.numbers = new Map(points.ids.entries().map(([i, id]) => [id, i]));
    this.overlay = new Overlay(part("overlay"), points, clusters);
    this.view = addressed(this.whole);
    this.deck = new Deck({
      parent: part("frame"),
      views: new OrthographicView({ controller: { keyboard: false, inertia: 200 } }),
      initialViewState: this.view,
      onViewStateChange: ({ viewState }) => this.moved(viewState),
      onResize: () => this.moved(this.view),
      onHover: (info) => this.hovered(info),
      onClick: ({ index }, { srcEvent }) => {
        // A label or a picture lies above the points, and is a link by itself.
        if (index >= 0 && !srcEvent.target.closest("a")) location.assign(`/pictures/${points.ids[index]}`);
      },
      getCursor: ({ isHovering, isDragging }) => (isDragging ? "grabbing" : isHovering ? "pointer" : "grab"),
      onAfterRender: () => (root.dataset.drawn ??= performance.now()),
      layers: [],
    });
    this.colour();
  }

  get projection() {
    return projection(this.view, ...size());
  }

  get whole() {
    return whole(this.points.box, ...size());
  }

  colour() {
    this.colours = coloured(this.points, this.lit);
    this.draw();
  }

  draw() {
    const { count, positions } = this.points;
    const nearer = 2 ** (0.35 * (this.view.zoom - this.whole.zoom));
    const [width, height] = size();
    const radius = Math.min(Math.max(1, SPREAD * Math.sqrt((width * height) / count)) * nearer, 9);
    const all = layer("points", positions, this.colours, { radiusScale: radius, pickable: true });
    const above = this.lit && this.litLayer(LARGER * radius);
    this.deck.setProps({ layers: above ? [all, above] : [all] });
  }

  // What is lit stands on everything else.
  litLayer(radiusScale) {
    const positions = this.lit.flatMap((i) => [...this.points.positions.subarray(2 * i, 2 * i + 2)]);
    const colours = this.lit.flatMap((i) => [...this.colours.subarray(4 * i, 4 * i + 4)]);
    return layer("lit", Float32Array.from(positions), Uint8Array.from(colours), { radiusScale });
  }

  show(view) {
    this.deck.setProps({ initialViewState: { ...this.view, ...view } });
    this.moved({ ...this.view, ...view });
  }

  zoom(by) {
    const { zoom, minZoom, maxZoom } = this.view;
    this.show({ zoom: Math.min(Math.max(zoom + by, minZoom), maxZoom) });
  }

  // By so many px to the right and down.
  pan([right, down]) {
    const [width, height] = size();
    const [x, y] = this.projection.unproject([width / 2 + right, height / 2 + down]);
    this.show({ target: [x, y, 0] });
  }

  moved(view) {
    const zoomed = view.zoom !== this.view.zoom;
    this.view = view;
    this.overlay.move(this.projection.project, size());
    if (zoomed) this.draw();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.settle(), SETTLED);
  }

  settle() {
    const { project, unproject } = this.projection;
    this.overlay.settle(project, [...unproject([0, 0]), ...unproject(size())], size());
    remember(this.view);
    root.dataset.settled = "";
  }

  hovered({ index, x, y }) {
    const card = part("hover");
    card.hidden = index < 0;
    if (index < 0) return;
    const id = this.points.ids[index];
    if (card.dataset.id !== String(id)) card.replaceChildren(thumbnail(id));
    card.dataset.id = id;
    // On the side that has room.
    const [width, height] = size();
    card.style.translate = `${beside(x, width)} ${beside(y, height)}`;
  }

  light(numbers) {
    this.lit = numbers;
    this.colour();
  }

  async search(words) {
    if (!words) return this.light(null);
    const answer = await fetch(`/api/v1/search?limit=${MOST_LIT}&q=${encodeURIComponent(words)}`);
    const { hits, line, error } = await answer.json();
    const found = (hits ?? []).filter(({ score }) => line === null || score >= line);
    const numbers = found.map(({ id }) => this.numbers.get(id)).filter((each) => each !== undefined);
    this.light(numbers.length ? numbers : null);
    if (error) part("said").textContent = error.message;
    else say(numbers.length ? "lit" : "nothing", numbers.length);
  }

  select(numbers) {
    this.light(numbers.length ? numbers : null);
    const list = part("selected");
    list.hidden = !numbers.length;
    if (list.hidden) return say("none");
    say("selected", numbers.length);
    const ids = numbers.map((i) => this.points.ids[i]);
    part("strip").replaceChildren(...ids.slice(0, MOST_LISTED).map(listed));
    // Some from all over the selection stand for it.
    const terms = ids.filter((_, i) => i % Math.ceil(ids.length / MOST_TERMS) === 0);
    part("alike").href = `/search?q=${encodeURIComponent(terms.map((id) => `#${id}`).join(" + "))}`;
  }
}

function layer(id, positions, colours, more) {
  const attributes = {
    getPosition: { value: positions, size: 2 },
    getFillColor: { value: colours, size: 4, normalized: true },
  };
  const data = { length: positions.length / 2, attributes };
  return new ScatterplotLayer({ id, data, getRadius: 1, radiusUnits: "pixels", ...more });
}

function beside(place, room) {
  return place > room / 2 ? `calc(${place - APART}px - 100%)` : `${place + APART}px`;
}

function listed(id) {
  const item = document.createElement("li");
  const link = picture(id);
  link.removeAttribute("tabindex");
  link.setAttribute("aria-label", `#${id}`);
  item.append(link);
  return item;
}
