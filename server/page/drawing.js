// @ts-check
/** A plan drawn: what is kept, what is added, what the server saw, what is to be left alone. */

import { element, placeAt } from "./element.js";
import { onOutput } from "./plan.js";

/**
 * Fills the element that it is put into, whose ratio is the output's.
 * @param {any} plan null while there is none
 * @param {string | null} preview address of the picture
 * @param {{subjects?: any[], protect?: number[][], keepClear?: number[][]}} [marks]
 */
export function drawPlan(plan, preview, marks = {}) {
  if (!plan) return element("div", { class: "drawing pending" });
  const kept = element("div", { class: "kept" }, drawSource(plan, preview));
  placeAt(kept, shareOf(plan.place, plan.target));
  const drawing = element("div", { class: "drawing" }, kept);
  for (const zone of marks.keepClear ?? []) drawing.append(mark("zone", zone));
  for (const subject of marks.subjects ?? []) {
    drawing.append(mark("subject", onOutput(plan, subject.box)));
  }
  for (const box of marks.protect ?? []) {
    drawing.append(mark("guarded", onOutput(plan, /** @type {any} */ (box))));
  }
  return drawing;
}

/**
 * The source as large as its kept part fills the element around it.
 * @param {any} plan
 * @param {string | null} preview
 */
function drawSource(plan, preview) {
  const [left, top, right, bottom] = plan.crop;
  const [width, height] = [right - left, bottom - top];
  const made = preview
    ? element("img", { src: preview, alt: "", draggable: false, decoding: "async" })
    : element("div", { class: "unseen" });
  const end = [(plan.source[0] - left) / width, (plan.source[1] - top) / height];
  placeAt(made, [-left / width, -top / height, end[0], end[1]]);
  return made;
}

/**
 * @param {string} kind
 * @param {any} box in fractions of the output
 */
function mark(kind, box) {
  const made = element("div", { class: `mark ${kind}` });
  placeAt(made, box);
  return made;
}

/**
 * @param {number[]} box
 * @param {number[]} size
 * @returns {[number, number, number, number]}
 */
function shareOf([left, top, right, bottom], [width, height]) {
  return [left / width, top / height, right / width, bottom / height];
}
