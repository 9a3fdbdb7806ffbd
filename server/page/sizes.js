// @ts-check
/** The chosen sizes, and the presets and words that add to them. */

import { element, find, icon, place } from "./element.js";
import { FIRST, fromPreset, parseWish, pixels } from "./size.js";
import { platformName } from "./words.js";

/** @param {any} store */
export function showSizes(store) {
  store.watch(["sizes"], (/** @type {any} */ { sizes }) => {
    find("chosen").replaceChildren(...sizes.map((/** @type {any} */ size) => line(store, size)));
    find("clear-sizes").hidden = !sizes.length;
    markChips(sizes);
  });
  find("clear-sizes").addEventListener("click", () => {
    store.set({ sizes: [] });
    find("custom").focus();
  });
  find("custom-form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    addCustom(store);
  });
  find("search").addEventListener("input", filter);
}

/**
 * @param {any} store
 * @param {any} answer of the server
 */
export function showPresets(store, answer) {
  const sizes = answer.items.map(fromPreset);
  const groups = answer.platforms.map((/** @type {string} */ platform) => {
    const own = sizes.filter((/** @type {any} */ size) => size.platform === platform);
    const chips = own.map((/** @type {any} */ size) => chip(store, size));
    const title = element("h3", {}, platformName(platform));
    return element("section", { class: "group" }, title, element("div", { class: "chips" }, chips));
  });
  const nothing = element(
    "p",
    { class: "hint", id: "no-preset", hidden: true },
    "No preset is called so.",
  );
  find("groups").replaceChildren(...groups, nothing);
  const first = FIRST.flatMap((key) => sizes.filter((/** @type {any} */ size) => size.key === key));
  if (!store.get().sizes.length) store.set({ sizes: first });
  markChips(store.get().sizes);
}

/** @param {any} store */
function addCustom(store) {
  const problem = find("custom-problem");
  const field = find("custom");
  try {
    add(store, parseWish(field.value, find("tier").value));
    field.value = "";
    problem.textContent = "";
  } catch (error) {
    problem.textContent = /** @type {Error} */ (error).message;
  }
  field.focus();
}

/** @param {any} store @param {any} size */
function add(store, size) {
  const { sizes } = store.get();
  if (!sizes.some((/** @type {any} */ each) => each.key === size.key)) {
    store.set({ sizes: [...sizes, size] });
  }
}

/** @param {any} store @param {any} size */
function remove(store, size) {
  const { sizes } = store.get();
  store.set({ sizes: sizes.filter((/** @type {any} */ each) => each.key !== size.key) });
}

/** @param {any} store @param {any} size */
function line(store, size) {
  const whose = size.platform ? ` ${platformName(size.platform)}` : "";
  const forget = () => {
    const following = document.activeElement?.closest("li")?.nextElementSibling;
    const number = following ? [...find("chosen").children].indexOf(following) - 1 : 0;
    remove(store, size);
    const left = find("chosen").querySelectorAll("button");
    (left[number] ?? find("custom")).focus();
  };
  return element(
    "li",
    {},
    glyph(size),
    element("span", { class: "name" }, size.title, element("small", {}, whose)),
    element("span", { class: "pixels" }, pixels(size)),
    element(
      "button",
      { type: "button", "aria-label": `Remove ${size.title}, ${pixels(size)}`, onclick: forget },
      icon("close"),
    ),
  );
}

/** The size's ratio, tiny. @param {any} size */
function glyph({ width, height }) {
  const shape = element("span");
  const long = Math.max(width, height);
  place(shape, { width: `${(24 * width) / long}px`, height: `${(24 * height) / long}px` });
  return element("span", { class: "glyph", "aria-hidden": "true" }, shape);
}

/** @param {any} store @param {any} size */
function chip(store, size) {
  const made = element(
    "button",
    {
      type: "button",
      class: "chip",
      "aria-pressed": "false",
      onclick: () => (made.getAttribute("aria-pressed") === "true" ? remove : add)(store, size),
    },
    size.title,
    element("span", { class: "pixels" }, pixels(size)),
  );
  made.dataset.key = size.key;
  made.dataset.words = `${size.key} ${size.title} ${size.width}x${size.height}`.toLowerCase();
  return made;
}

/** @param {any[]} sizes */
function markChips(sizes) {
  const chosen = new Set(sizes.map((size) => size.key));
  for (const each of /** @type {any} */ (find("groups").querySelectorAll(".chip"))) {
    each.setAttribute("aria-pressed", String(chosen.has(each.dataset.key)));
  }
}

function filter() {
  const wanted = find("search").value.toLowerCase().replaceAll("×", "x").split(/\s+/);
  let count = 0;
  for (const group of find("groups").querySelectorAll(".group")) {
    const chips = [...group.querySelectorAll(".chip")];
    for (const each of chips) {
      each.hidden = !wanted.every((/** @type {string} */ word) =>
        each.dataset.words.includes(word),
      );
    }
    const left = chips.filter((each) => !each.hidden).length;
    group.hidden = !left;
    count += left;
  }
  const nothing = document.getElementById("no-preset");
  if (nothing) nothing.hidden = count > 0;
}
