// @ts-check
/** Boxes on the source: what the server saw, and what is protected, which can be moved. */

import { element, place, placeAt } from "./element.js";

/** @typedef {[number, number, number, number]} Box */

const STEP = 0.01;
const SMALLEST = 0.01;

/** Screen px within which a pointer that is pressed and let go has only clicked. */
const CLICK = 3;

/** What covers more of the picture than this is held by its sides alone. */
const WIDE = 0.8;

/**
 * A box inside the picture, at least a hundredth of it wide and high.
 * @param {number[]} box
 * @returns {Box}
 */
export function inPicture(box) {
  const [left, right] = ordered(box[0], box[2]);
  const [top, bottom] = ordered(box[1], box[3]);
  return [left, top, right, bottom];
}

/**
 * @param {Box} box
 * @param {number} x
 * @param {number} y
 * @returns {Box}
 */
export function movedBox([left, top, right, bottom], x, y) {
  const across = Math.min(1 - right, Math.max(-left, x));
  const down = Math.min(1 - bottom, Math.max(-top, y));
  return [round(left + across), round(top + down), round(right + across), round(bottom + down)];
}

/**
 * @param {Box} box
 * @param {number} by
 * @returns {Box}
 */
export function grownBox([left, top, right, bottom], by) {
  return inPicture([left - by, top - by, right + by, bottom + by]);
}

/**
 * @typedef {object} Look what a box is to people
 * @property {"subject" | "guarded"} kind
 * @property {string} name
 * @property {string} role
 */

/**
 * @typedef {object} Acts what a box tells of
 * @property {(box: Box | null, done: boolean) => void} change null where it is to go
 * @property {() => void} choose it is the one that is meant
 * @property {() => void} [enter]
 */

/**
 * A box that can be moved and resized.
 * @param {Box} box
 * @param {Look} look
 * @param {Acts} acts
 */
export function drawBox(box, { kind, name, role }, { change, choose, enter }) {
  const keys =
    "arrow keys move it, plus and minus and Ctrl with arrows resize it, Delete removes it";
  const more = enter ? ", Enter protects it" : "";
  const made = element(
    "div",
    {
      class: `mark ${kind}`,
      tabIndex: 0,
      role: "group",
      "aria-roledescription": role,
      "aria-label": `${name}: ${keys}${more}`,
      onfocus: choose,
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" && enter) {
          event.preventDefault();
          enter();
        } else onKey(event, box, change);
      },
    },
    ...SIDES.map((side) => element("i", { class: `side ${side}` })),
    element("span", { class: "tag" }, name),
    ...CORNERS.map(([corner]) => element("i", { class: `corner ${corner}` })),
  );
  placeAt(made, box);
  const area = (box[2] - box[0]) * (box[3] - box[1]);
  place(made, { "z-index": String(100 - Math.round(area * 100)) }); // the smaller ones on top
  made.classList.toggle("wide", area > WIDE);
  made.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.button) return;
    event.preventDefault();
    event.stopPropagation();
    made.focus();
    choose();
    const at = /** @type {HTMLElement} */ (event.target).classList;
    const held = CORNERS.find(([corner]) => at.contains(corner));
    drag(made, event, (x, y, done) => {
      const next = held ? stretchedBox(box, held[1], held[2], x, y) : movedBox(box, x, y);
      placeAt(made, next);
      change(next, done);
    });
  });
  return made;
}

const SIDES = ["top", "right", "bottom", "left"];

/** @type {[string, number, number][]} a corner, and which two numbers of a box are its */
const CORNERS = [
  ["nw", 0, 1],
  ["ne", 2, 1],
  ["se", 2, 3],
  ["sw", 0, 3],
];

/**
 * A box with one corner elsewhere.
 * @param {Box} box
 * @param {number} across which number of the box is the corner's place from the left
 * @param {number} down which is that from the top
 * @param {number} x
 * @param {number} y
 * @returns {Box}
 */
export function stretchedBox(box, across, down, x, y) {
  return inPicture(box.with(across, box[across] + x).with(down, box[down] + y));
}

/**
 * @param {KeyboardEvent} event
 * @param {Box} box
 * @param {(box: Box | null, done: boolean) => void} change
 */
function onKey(event, box, change) {
  const step = event.shiftKey ? STEP / 10 : STEP;
  const sizes = event.ctrlKey || event.metaKey;
  const next = sizes ? sizedBox(event.key, box, step) : nextBox(event.key, box, step);
  if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  change(next, true);
}

/**
 * @param {string} key
 * @param {Box} box
 * @param {number} step
 * @returns {Box | null | undefined} undefined where the key means nothing
 */
function nextBox(key, box, step) {
  switch (key) {
    case "ArrowLeft":
      return movedBox(box, -step, 0);
    case "ArrowRight":
      return movedBox(box, step, 0);
    case "ArrowUp":
      return movedBox(box, 0, -step);
    case "ArrowDown":
      return movedBox(box, 0, step);
    case "+":
    case "=":
      return grownBox(box, step);
    case "-":
      return grownBox(box, -step);
    case "Delete":
    case "Backspace":
      return null;
    default:
      return undefined;
  }
}

/**
 * With Ctrl, arrows move the lower right corner alone.
 * @param {string} key
 * @param {Box} box
 * @param {number} step
 * @returns {Box | undefined}
 */
function sizedBox(key, box, step) {
  switch (key) {
    case "ArrowLeft":
      return stretchedBox(box, 2, 3, -step, 0);
    case "ArrowRight":
      return stretchedBox(box, 2, 3, step, 0);
    case "ArrowUp":
      return stretchedBox(box, 2, 3, 0, -step);
    case "ArrowDown":
      return stretchedBox(box, 2, 3, 0, step);
    default:
      return undefined;
  }
}

/**
 * Tells how far a pointer went, in fractions of the picture around the box; a click went nowhere.
 * @param {HTMLElement} held
 * @param {PointerEvent} start
 * @param {(x: number, y: number, done: boolean) => void} tell
 */
function drag(held, start, tell) {
  const around = /** @type {HTMLElement} */ (held.parentElement).getBoundingClientRect();
  const control = new AbortController();
  let [x, y, begun] = [0, 0, false];
  const hear = (/** @type {PointerEvent} */ event) => {
    [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
    begun ||= Math.hypot(x, y) > CLICK;
    if (begun) tell(x / around.width, y / around.height, false);
  };
  const end = () => {
    control.abort();
    if (begun) tell(x / around.width, y / around.height, true);
  };
  const { signal } = control;
  window.addEventListener("pointermove", hear, { signal });
  window.addEventListener("pointerup", end, { signal });
  window.addEventListener("pointercancel", end, { signal });
}

/** @param {number} one @param {number} other */
function ordered(one, other) {
  const near = Math.max(0, Math.min(one, other, 1 - SMALLEST));
  const far = Math.min(1, Math.max(one, other, near + SMALLEST));
  return [round(near), round(far)];
}

/** @param {number} value @returns {any} */
function round(value) {
  return Math.round(value * 1e4) / 1e4;
}
