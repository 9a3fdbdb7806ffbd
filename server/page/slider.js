// @ts-check
/** Before and after in one frame: a handle that pointer and keys can move. */

import { element, icon, place } from "./element.js";

/**
 * @param {HTMLElement} before
 * @param {HTMLElement} after
 * @param {string} name what is compared, for those who cannot see it
 */
export function compare(before, after, name) {
  const top = element("div", { class: "before" }, before);
  const line = element("span", { class: "line" });
  const knob = element("span", { class: "knob" }, icon("drag"));
  const handle = element("input", {
    type: "range",
    class: "handle",
    min: 0,
    max: 100,
    value: 0,
    "aria-label": `Before and after: ${name}`,
    oninput: move,
  });
  const whole = element("div", { class: "compare" }, after, top, line, knob, handle);

  function move() {
    place(whole, { "--split": `${handle.value}%` });
    handle.setAttribute("aria-valuetext", `${handle.value} % of the source's side is shown`);
  }

  move();
  return whole;
}
