// What the map page uses of deck.gl; `make vendor` bundles it into static/vendor/deck.min.js.
export { Deck, OrthographicView } from "@deck.gl/core";
export { ScatterplotLayer } from "@deck.gl/layers";
