// @ts-check
/** Tiles in rows; a tile that stays keeps its elements, and with them the focus. */

import { element, place } from "./element.js";
import { layRows } from "./rows.js";
import { pixels } from "./size.js";
import { platformName } from "./words.js";

/**
 * @typedef {object} Tile
 * @property {HTMLElement} node
 * @property {HTMLElement} frame has the picture's ratio
 * @property {(value: any) => void} update
 */

/**
 * @param {HTMLElement} container
 * @param {() => Tile} makeTile
 */
export function createWall(container, makeTile) {
  /** @type {Map<string, {tile: Tile, ratio: number}>} */
  let shown = new Map();

  function lay() {
    const width = container.clientWidth;
    if (!width) return;
    const narrow = width < 560;
    const room = { width, height: narrow ? 210 : 290, gap: narrow ? 14 : 22, least: 156 };
    const spots = layRows(
      [...shown.values()].map(({ ratio }) => ratio),
      room,
    );
    [...shown.values()].forEach(({ tile }, number) => {
      const { tile: wide, width: across, height } = spots[number];
      place(tile.node, { width: `${Math.floor(wide * 100) / 100}px` });
      place(tile.frame, { width: `${across}px`, height: `${height}px` });
    });
  }

  new ResizeObserver(lay).observe(container);

  return {
    /** @param {{key: string, ratio: number, value: any}[]} entries */
    show(entries) {
      const next = new Map();
      for (const { key, ratio, value } of entries) {
        const tile = shown.get(key)?.tile ?? makeTile();
        tile.update(value);
        next.set(key, { tile, ratio });
      }
      const nodes = [...next.values()].map(({ tile }) => tile.node);
      const same = nodes.length === container.childNodes.length;
      if (!same || nodes.some((node, number) => container.childNodes[number] !== node)) {
        container.replaceChildren(...nodes);
      }
      shown = next;
      lay();
    },
  };
}

/**
 * The line under a picture: what it is, and how large.
 * @param {any} size
 * @param {...string} more
 */
export function nameSize(size, ...more) {
  const platform = size.platform ? platformName(size.platform) : "";
  const words = [platform, pixels(size), ...more].filter(Boolean).join(" · ");
  return element(
    "p",
    { class: "tile-name" },
    element("strong", {}, size.title),
    element("span", { class: "pixels" }, words),
  );
}
