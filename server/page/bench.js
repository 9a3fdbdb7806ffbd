// @ts-check
/** The editor's table: the frame on the whole source, with every box, at one scale. */

import { element, place } from "./element.js";

/** Room around what is shown, as a share of it. */
const ROOM = 0.06;

/**
 * Where the output's origin lies on the screen, and screen px per output px, so that frame and
 * source are both seen.
 * @param {any} plan
 * @param {import("./plan.js").Spot} spot
 * @param {{width: number, height: number}} room
 */
export function viewOf(plan, spot, room) {
  const [width, height] = plan.target;
  const left = Math.min(0, spot.x);
  const top = Math.min(0, spot.y);
  const across = Math.max(width, spot.x + plan.source[0] * spot.scale) - left;
  const down = Math.max(height, spot.y + plan.source[1] * spot.scale) - top;
  const zoom = Math.min(room.width / across, room.height / down) / (1 + 2 * ROOM);
  return {
    zoom,
    x: (room.width - across * zoom) / 2 - left * zoom,
    y: (room.height - down * zoom) / 2 - top * zoom,
  };
}

/** The elements of the table, and how they are put where they belong. */
export function createTable() {
  const ghost = element("img", { class: "ghost", alt: "", draggable: false });
  const solid = element("img", { class: "solid", alt: "", draggable: false });
  const zones = element("div", { class: "zones" });
  const frame = element("div", { class: "edit-frame" }, solid, zones);
  const outline = element("div", { class: "edit-outline" });
  const boxes = element("div", { class: "edit-boxes" });
  const table = element("div", { class: "table" }, ghost, frame, boxes, outline);
  return {
    table,
    boxes,
    /** @param {string | null} preview */
    load(preview) {
      for (const image of [ghost, solid]) {
        image.hidden = !preview;
        if (preview && image.getAttribute("src") !== preview) image.src = preview;
      }
    },
    /**
     * @param {any} plan
     * @param {import("./plan.js").Spot} spot
     * @param {{zoom: number, x: number, y: number}} view
     * @param {number[][]} keepClear
     */
    put(plan, spot, view, keepClear) {
      const { zoom, x, y } = view;
      const [width, height] = [plan.target[0] * zoom, plan.target[1] * zoom];
      const source = {
        width: px(plan.source[0] * spot.scale * zoom),
        height: px(plan.source[1] * spot.scale * zoom),
      };
      const [across, down] = [x + spot.x * zoom, y + spot.y * zoom];
      for (const each of [ghost, boxes])
        place(each, { left: px(across), top: px(down), ...source });
      place(solid, { left: px(spot.x * zoom), top: px(spot.y * zoom), ...source });
      for (const each of [frame, outline]) {
        place(each, { left: px(x), top: px(y), width: px(width), height: px(height) });
      }
      zones.replaceChildren(...keepClear.map(zone));
    },
  };
}

/** @param {number[]} box */
function zone([left, top, right, bottom]) {
  const made = element("div", { class: "mark zone" });
  place(made, {
    left: share(left),
    top: share(top),
    width: share(right - left),
    height: share(bottom - top),
  });
  return made;
}

/** @param {number} value */
function px(value) {
  return `${value.toFixed(2)}px`;
}

/** @param {number} value */
function share(value) {
  return `${value * 100}%`;
}
