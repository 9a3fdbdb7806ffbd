// @ts-check
/** What lies under “More”: as many of these fields as the server's model has. */

import { element, find } from "./element.js";

/** Groups of fields: name in the input, label, and what an empty choice means. */
/** @type {[string, string[][]][]} */
const GROUPS = [
  [
    "What to keep",
    [
      ["policy", "Policy"],
      ["max_crop", "Crop at most (0 to 1)"],
      ["anchor", "Hold the source at", "anywhere"],
      ["prefer", "Subject at", "anywhere"],
      ["copy_space", "Room for text at", "none"],
      ["feather", "Seam, px", "automatic"],
      ["protect_kinds", "Never cut"],
      ["strict", "Refuse rather than give a rule up"],
    ],
  ],
  [
    "What to paint",
    [
      ["prompt", "Prompt: what the new area shows"],
      ["fill", "Fill"],
      ["mode", "Mode"],
      ["seed", "Seed", "drawn"],
      ["variants", "Variants"],
      ["retries", "Retries"],
      ["fallback", "Where it fails", "keep the best"],
    ],
  ],
  [
    "What to write",
    [
      ["output_format", "Format", "as the preset says"],
      ["quality", "Quality, 1 to 100", "automatic"],
      ["max_bytes", "Largest file, bytes", "as the preset says"],
      ["alpha", "Transparency"],
      ["background", "Background colour", "#ffffff"],
      ["metadata", "Metadata"],
      ["extras", "Also write"],
      ["nsfw", "Unsafe pictures"],
      ["xmp", "Mark as made with AI (XMP)"],
      ["c2pa", "Sign (C2PA)"],
      ["store", "Keep on the server's disk until they expire"],
    ],
  ],
];

/**
 * @param {any} store
 * @param {any} model as the server describes it
 */
export function showOptions(store, model) {
  const schema = model.input_schema;
  const groups = GROUPS.map(([title, fields]) => {
    const known = fields.filter(([name]) => schema.properties[name]);
    return element(
      "fieldset",
      { class: "options" },
      element("legend", {}, title),
      ...known.map(([name, label, empty]) => field(store, schema, name, label, empty)),
    );
  });
  find("options").replaceChildren(...groups);
  store.watch(["options"], (/** @type {any} */ { options }) => {
    const count = Object.keys(options).length;
    find("more-state").textContent = count ? `${count} changed` : "";
  });
}

/**
 * @param {any} store
 * @param {any} schema
 * @param {string} name
 * @param {string} label
 * @param {string} [empty]
 */
function field(store, schema, name, label, empty) {
  const known = read(schema, schema.properties[name]);
  const id = `option-${name}`;
  const description = schema.properties[name].description;
  const tell = (/** @type {any} */ value) => choose(store, name, value, known.fallback);
  if (known.type === "boolean") return tick(id, label, known.fallback === true, tell);
  if (known.items) return ticks(label, known.items, tell);
  const control = known.choices ? select(known, empty) : input(known, name, empty);
  control.id = id;
  control.addEventListener("change", () => tell(parse(control.value, known.type)));
  const wide = name === "prompt" ? " wide" : "";
  return element(
    "div",
    { class: `option${wide}`, title: description },
    element("label", { for: id }, label),
    control,
  );
}

/**
 * What a schema says of a field, with its references and nulls looked through.
 * @param {any} schema
 * @param {any} property
 */
function read(schema, property) {
  const look = (/** @type {any} */ part) =>
    part.$ref ? schema.$defs[part.$ref.split("/").pop()] : part;
  const parts = (property.anyOf ?? [property]).map(look);
  const main = parts.find((/** @type {any} */ part) => part.type !== "null") ?? {};
  const items = main.type === "array" ? look(main.items ?? {}).enum : null;
  return {
    type: main.type,
    choices: main.enum ?? null,
    items,
    nullable: parts.some((/** @type {any} */ part) => part.type === "null"),
    fallback: property.default ?? (main.type === "array" ? [] : null),
    least: main.minimum,
    most: main.maximum,
  };
}

/**
 * Only what differs from the server's own default is said.
 * @param {any} store
 * @param {string} name
 * @param {any} value
 * @param {any} fallback
 */
function choose(store, name, value, fallback) {
  const { [name]: _, ...others } = store.get().options;
  const said = value !== null && value !== "" && JSON.stringify(value) !== JSON.stringify(fallback);
  store.set({ options: said ? { ...others, [name]: value } : others });
}

/** @param {string} text @param {string} type */
function parse(text, type) {
  const number = ["integer", "number"].includes(type) && text !== "";
  return number ? Number(text) : text;
}

/** @param {any} known @param {string} [empty] */
function select({ choices, fallback, nullable }, empty) {
  const none = nullable || empty ? [element("option", { value: "" }, empty ?? "none")] : [];
  const options = choices.map((/** @type {string} */ choice) =>
    element("option", { value: choice, selected: !none.length && choice === fallback }, choice),
  );
  return element("select", {}, ...none, ...options);
}

/** @param {any} known @param {string} name @param {string} [empty] */
function input({ type, least, most, fallback }, name, empty) {
  if (name === "prompt") return element("textarea", { rows: 2, maxLength: 4000 });
  const number = ["integer", "number"].includes(type);
  return element("input", {
    type: number ? "number" : "text",
    inputMode: number ? "decimal" : undefined,
    min: least,
    max: most,
    step: type === "number" ? "any" : undefined,
    placeholder: fallback ?? empty ?? "",
    autocomplete: "off",
  });
}

/** @param {string} id @param {string} label @param {boolean} on @param {(value: any) => void} tell */
function tick(id, label, on, tell) {
  const box = element("input", { type: "checkbox", id, checked: on });
  box.addEventListener("change", () => tell(box.checked));
  return element("div", { class: "option tick wide" }, box, element("label", { for: id }, label));
}

/** @param {string} label @param {string[]} choices @param {(value: any) => void} tell */
function ticks(label, choices, tell) {
  const boxes = choices.map((choice) => element("input", { type: "checkbox", value: choice }));
  const chosen = () => tell(boxes.filter((box) => box.checked).map((box) => box.value));
  boxes.forEach((box) => box.addEventListener("change", chosen));
  return element(
    "div",
    { class: "option wide", role: "group", "aria-label": label },
    element("span", {}, label),
    element("div", { class: "ticks" }, ...boxes.map((box) => element("label", {}, box, box.value))),
  );
}
