// @ts-check
/** The hand on the editor's table: keys, wheel and pointer move the picture and draw boxes. */

import { inPicture } from "./boxes.js";
import { element, placeAt } from "./element.js";
import { contained, covering, moved, scaled, snapped } from "./plan.js";

/** Screen px within which borders and middles pull. */
const MAGNET = 7;

/** A step of the arrow keys, as a share of the frame's long side. */
const NUDGE = 0.01;
const ZOOM = 1.02;

/** A box must be dragged over this share of the picture to be one. */
const CLICK = 0.005;

/** @typedef {import("./plan.js").Spot} Spot */

/**
 * @typedef {object} Table
 * @property {() => any} now what is edited: auto, spot, view, mode, held
 * @property {HTMLElement} boxes lies where the source lies
 * @property {(spot: Spot, fit?: boolean) => void} move
 * @property {(box: number[] | null) => void} draw
 */

/**
 * @param {HTMLElement} bench
 * @param {Table} table
 */
export function lendHand(bench, table) {
  bench.addEventListener("keydown", (event) => {
    const { auto, spot } = table.now();
    if (event.target !== bench || event.ctrlKey || event.metaKey) return;
    const next = spotOfKey(event.key, event.shiftKey, auto, spot);
    if (!next) return;
    event.preventDefault();
    table.move(next);
  });
  bench.addEventListener("wheel", (event) => turn(bench, table, event), { passive: false });
  bench.addEventListener("pointerdown", (event) => grab(bench, table, event));
}

/**
 * Where a key puts the picture; null where it means nothing.
 * @param {string} key
 * @param {boolean} fine
 * @param {any} plan
 * @param {Spot} spot
 * @returns {Spot | null}
 */
export function spotOfKey(key, fine, plan, spot) {
  const [width, height] = plan.target;
  const step = fine ? 1 : Math.max(1, Math.round(NUDGE * Math.max(width, height)));
  const zoom = (/** @type {number} */ by) => scaled(spot, by, width / 2, height / 2);
  switch (key) {
    case "ArrowLeft":
      return moved(spot, -step, 0);
    case "ArrowRight":
      return moved(spot, step, 0);
    case "ArrowUp":
      return moved(spot, 0, -step);
    case "ArrowDown":
      return moved(spot, 0, step);
    case "+":
    case "=":
      return zoom(ZOOM);
    case "-":
      return zoom(1 / ZOOM);
    case "0":
      return contained(plan);
    case "1":
      return covering(plan);
    default:
      return null;
  }
}

/**
 * @param {HTMLElement} bench
 * @param {Table} table
 * @param {WheelEvent} event
 */
function turn(bench, table, event) {
  event.preventDefault();
  const { spot, view } = table.now();
  const [x, y] = onOutput(bench, view, event);
  table.move(scaled(spot, Math.exp(-event.deltaY / 800), x, y), false);
}

/**
 * @param {HTMLElement} bench
 * @param {Table} table
 * @param {PointerEvent} event
 */
function grab(bench, table, event) {
  if (event.button) return;
  event.preventDefault();
  bench.focus();
  bench.setPointerCapture(event.pointerId);
  const now = table.now();
  const from = onOutput(bench, now.view, event);
  const follow = now.mode === "box" ? drawBox(table, from) : dragPicture(table, from);
  const control = new AbortController();
  const hear = (/** @type {PointerEvent} */ each) => follow(onOutput(bench, now.view, each), false);
  const end = (/** @type {PointerEvent} */ each) => {
    control.abort();
    now.held = false;
    follow(onOutput(bench, now.view, each), true);
  };
  now.held = true;
  const { signal } = control;
  bench.addEventListener("pointermove", hear, { signal });
  bench.addEventListener("pointerup", end, { signal });
  bench.addEventListener("pointercancel", end, { signal });
}

/**
 * @param {Table} table
 * @param {number[]} from
 */
function dragPicture(table, from) {
  const { auto, spot, view } = table.now();
  return (/** @type {number[]} */ [x, y], /** @type {boolean} */ over) => {
    if (over && x === from[0] && y === from[1]) return;
    const free = moved(spot, x - from[0], y - from[1]);
    table.move(snapped(auto, free, MAGNET / view.zoom), over);
  };
}

/**
 * @param {Table} table
 * @param {number[]} from
 */
function drawBox(table, from) {
  const { auto, spot } = table.now();
  const draft = element("div", { class: "mark guarded" });
  table.boxes.append(draft);
  const [width, height] = auto.source.map((/** @type {number} */ side) => side * spot.scale);
  const share = (/** @type {number[]} */ [x, y]) => [(x - spot.x) / width, (y - spot.y) / height];
  const [left, top] = share(from);
  return (/** @type {number[]} */ at, /** @type {boolean} */ over) => {
    const [right, bottom] = share(at);
    const box = inPicture([left, top, right, bottom]);
    placeAt(draft, box);
    if (!over) return;
    draft.remove();
    const drawn = Math.abs(right - left) > CLICK && Math.abs(bottom - top) > CLICK;
    table.draw(drawn ? box : null);
  };
}

/**
 * Where the pointer is, output px.
 * @param {HTMLElement} bench
 * @param {{x: number, y: number, zoom: number}} view
 * @param {MouseEvent} event
 */
function onOutput(bench, { x, y, zoom }, event) {
  const around = bench.getBoundingClientRect();
  return [(event.clientX - around.left - x) / zoom, (event.clientY - around.top - y) / zoom];
}
