// @ts-check
/** Boxes on the source: what the server saw, and what is protected, which can be moved. */

import { element, placeAt } from "./element.js";

/** @typedef {[number, number, number, number]} Box */

const STEP = 0.01;
const SMALLEST = 0.01;

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
 * @param {any} subject
 * @param {() => void} protect
 */
export function drawSubject(subject, protect) {
  const label = element(
    "button",
    {
      type: "button",
      class: "tag",
      title: "Protect this",
      "aria-label": `Protect ${subject.label}`,
      onclick: protect,
    },
    subject.label,
  );
  const made = element("div", { class: "mark subject" }, label);
  placeAt(made, subject.box);
  return made;
}

/**
 * @param {Box} box
 * @param {number} number from 0
 * @param {(box: Box | null, done: boolean) => void} change null forgets it
 */
export function drawGuarded(box, number, change) {
  const corner = element("i", { class: "corner" });
  const made = element(
    "div",
    {
      class: "mark guarded",
      tabIndex: 0,
      role: "group",
      "aria-roledescription": "protected box",
      "aria-label": `Protected ${number + 1}: arrow keys move it, plus and minus resize it, Delete removes it`,
      onkeydown: (/** @type {KeyboardEvent} */ event) => onKey(event, box, change),
    },
    element("span", { class: "tag" }, `Protected ${number + 1}`),
    corner,
  );
  placeAt(made, box);
  made.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    event.stopPropagation();
    made.focus();
    drag(made, event, (x, y, done) => {
      const sized = event.target === corner;
      const next = sized
        ? inPicture([box[0], box[1], box[2] + x, box[3] + y])
        : movedBox(box, x, y);
      placeAt(made, next);
      change(next, done);
    });
  });
  return made;
}

/**
 * @param {KeyboardEvent} event
 * @param {Box} box
 * @param {(box: Box | null, done: boolean) => void} change
 */
function onKey(event, box, change) {
  const next = nextBox(event.key, box, event.shiftKey ? STEP / 10 : STEP);
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
 * Tells how far a pointer went, in fractions of the picture around the box.
 * @param {HTMLElement} held
 * @param {PointerEvent} start
 * @param {(x: number, y: number, done: boolean) => void} tell
 */
function drag(held, start, tell) {
  const around = /** @type {HTMLElement} */ (held.parentElement).getBoundingClientRect();
  const control = new AbortController();
  const heard = (/** @type {PointerEvent} */ event, /** @type {boolean} */ done) =>
    tell(
      (event.clientX - start.clientX) / around.width,
      (event.clientY - start.clientY) / around.height,
      done,
    );
  const { signal } = control;
  window.addEventListener("pointermove", (event) => heard(event, false), { signal });
  for (const name of ["pointerup", "pointercancel"]) {
    const end = (/** @type {any} */ event) => {
      control.abort();
      heard(event, true);
    };
    window.addEventListener(name, end, { signal });
  }
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
