// @ts-check
/** One element in one expression. Texts become text nodes: nothing here ever parses markup. */

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 */

/**
 * `on…` properties are listeners, `class` and everything with a dash or that is no property an
 * attribute, `style` an object of CSS properties set one by one, which the page's policy allows.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(made, name, value);
  made.append(...children.flat().filter(isThere).map(asNode));
  return made;
}

/**
 * @param {HTMLElement} target
 * @param {string} name
 * @param {any} value
 */
function set(target, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "style") place(target, value);
  else if (name.startsWith("on")) target.addEventListener(name.slice(2), value);
  else if (name in target && !name.includes("-") && name !== "list")
    Reflect.set(target, name, value);
  else target.setAttribute(name, value === true ? "" : String(value));
}

/**
 * Sets CSS properties one by one.
 * @param {HTMLElement} target
 * @param {Record<string, string>} properties
 */
export function place(target, properties) {
  for (const [name, value] of Object.entries(properties)) target.style.setProperty(name, value);
}

/**
 * Puts an element into its parent's place, by fractions of the parent.
 * @param {HTMLElement} target
 * @param {[number, number, number, number]} box left, top, right, bottom
 */
export function placeAt(target, [left, top, right, bottom]) {
  place(target, {
    left: percent(left),
    top: percent(top),
    width: percent(right - left),
    height: percent(bottom - top),
  });
}

/**
 * A child of the page that the code relies on.
 * @param {string} id
 * @returns {any}
 */
export function find(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * A drawing of the sprite in the page.
 * @param {string} name
 */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}

/** @param {number} share */
function percent(share) {
  return `${(share * 100).toFixed(4)}%`;
}

/** @param {any} child */
function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

/** @param {any} child */
function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}
