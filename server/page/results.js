// @ts-check
/** The results view: what runs make, beside what they were given. */

import { here } from "./api.js";
import { beforeNotes } from "./before.js";
import { badges, notes, sharedWarnings } from "./badges.js";
import { drawPlan } from "./drawing.js";
import { element, find } from "./element.js";
import { compare } from "./slider.js";
import { createWall, nameSize } from "./wall.js";
import { fileSize } from "./words.js";

/** @param {any} store */
export function showResults(store) {
  const wall = createWall(find("result-wall"), makeTile);
  store.watch(["submission"], (/** @type {any} */ { submission }) => {
    if (!submission) return;
    const outputs = outputsOf(submission);
    const shared = sharedWarnings(outputs);
    const tiles = submission.parts.flatMap((/** @type {any} */ part) =>
      entries(submission, part, shared),
    );
    wall.show(asChosen(tiles, submission));
    const lacking = beforeNotes(submission).map((words) => element("p", {}, words));
    find("result-notes").replaceChildren(...notes(outputs, shared), ...lacking);
    showRecords(outputs);
  });
}

/**
 * Picture by picture, and in each the sizes as they were chosen, whatever run made them.
 * @param {any[]} tiles
 * @param {any} submission
 */
function asChosen(tiles, { sources, order = [] }) {
  const pictures = [...sources.values()];
  const rank = (/** @type {any} */ { value }) =>
    pictures.indexOf(value.before) * 1000 + order.indexOf(value.size.key);
  return tiles.toSorted((one, other) => rank(one) - rank(other));
}

/**
 * Everything that was made so far.
 * @param {any} submission
 * @returns {any[]}
 */
export function outputsOf(submission) {
  return (submission?.parts ?? []).flatMap(
    (/** @type {any} */ part) => part.record?.output?.outputs ?? [],
  );
}

/**
 * @param {any} submission
 * @param {any} part
 * @param {string[]} shared
 */
function entries(submission, part, shared) {
  const made = part.record?.output?.outputs;
  if (made) {
    return made.map((/** @type {any} */ output) => finished(submission, part, output, shared));
  }
  if (["failed", "canceled"].includes(part.status) || !part.request) return [];
  const { pictures, sizes, input } = part.request;
  return pictures.flatMap((/** @type {string} */ id, /** @type {number} */ source) =>
    sizes.flatMap((/** @type {any} */ size, /** @type {number} */ target) =>
      Array.from({ length: input.variants ?? 1 }, (_, variant) => ({
        key: `${part.number} ${source} ${target} ${variant}`,
        ratio: size.width / size.height,
        value: {
          size,
          before: submission.sources.get(id),
          plan: input.plan ?? submission.plans?.[id]?.[size.key],
        },
      })),
    ),
  );
}

/**
 * @param {any} submission
 * @param {any} part
 * @param {any} output
 * @param {string[]} shared
 */
function finished(submission, part, output, shared) {
  const { source, target, variant, width, height } = output;
  const wanted = part.record.input?.targets?.[target];
  const size = part.request?.sizes[target] ?? nameOf(wanted, output);
  const id = part.request ? part.request.pictures[source] : source;
  const many = (part.request?.input.variants ?? 1) > 1;
  const title = many ? `${size.title}, variant ${variant + 1}` : size.title;
  return {
    key: `${part.number} ${source} ${target} ${variant}`,
    ratio: width / height,
    value: {
      size: { ...size, title, width, height },
      before: submission.sources.get(id),
      plan: output.record?.plan,
      output,
      shared,
    },
  };
}

/**
 * @param {any} target as an order has it
 * @param {any} output
 */
function nameOf(target, output) {
  const [platform, name] = (target?.preset ?? "").split("/");
  const words = name ? name.replaceAll("-", " ") : (target?.aspect ?? output.file_name);
  return { title: words.charAt(0).toUpperCase() + words.slice(1), platform };
}

function makeTile() {
  let drawn = "";
  let told = "";
  const frame = element("div", { class: "frame" });
  const text = element("div", { class: "tile-text" });
  const node = element("article", { class: "tile" }, frame, text);
  return {
    node,
    frame,
    /** @param {any} value */
    update(value) {
      const { size, plan, before, output, shared } = value;
      const words = JSON.stringify([size, output?.sha256]);
      const seen = JSON.stringify([words, plan, before?.preview]);
      node.classList.toggle("working", !output);
      if (seen !== drawn) {
        frame.replaceChildren(output ? picture(value) : drawPlan(plan, before?.preview));
      }
      if (words !== told) {
        text.replaceChildren(...(output ? describe(size, output, shared) : [nameSize(size)]));
      }
      [drawn, told] = [seen, words];
    },
  };
}

/** @param {any} value */
function picture({ size, output, before, plan }) {
  const after = element("img", {
    class: "made",
    src: here(output.url),
    width: output.width,
    height: output.height,
    alt: `${size.title}, ${output.width} by ${output.height}`,
    draggable: false,
  });
  if (!before?.preview || !plan) return after;
  return compare(drawPlan(plan, before.preview), after, size.title);
}

/**
 * @param {any} size
 * @param {any} output
 * @param {string[]} shared warnings that are told once for all
 */
function describe(size, output, shared) {
  const kind = output.content_type.replace("image/", "").toUpperCase();
  const address = here(output.url);
  return [
    nameSize(size, `${kind}, ${fileSize(output.file_size)}`),
    element("div", { class: "badges" }, ...badges(output, shared)),
    element(
      "p",
      { class: "actions" },
      element(
        "a",
        {
          href: address,
          target: "_blank",
          rel: "noopener",
          "aria-label": `Open ${size.title} full size`,
        },
        "Open",
      ),
      element(
        "a",
        { href: address, download: output.file_name, "aria-label": `Download ${size.title}` },
        "Download",
      ),
      element(
        "button",
        { type: "button", "aria-label": `Record of ${size.title}`, onclick: () => open(output) },
        "Record",
      ),
    ),
  ];
}

/** @param {any[]} outputs */
function showRecords(outputs) {
  const place = find("run-record");
  if (!outputs.length) return place.replaceChildren();
  const title = element("h2", {}, "Records");
  const words = "How each picture was made, and the numbers that prove what was kept.";
  place.replaceChildren(title, element("p", { class: "hint" }, words), ...outputs.map(record));
}

/** @param {any} output */
function record(output) {
  const text = element("pre", { tabIndex: 0 });
  const fold = element(
    "details",
    {
      class: "record",
      ontoggle: () => {
        if (!text.textContent) text.textContent = JSON.stringify(output.record, null, 2);
      },
    },
    element("summary", {}, output.file_name),
    text,
  );
  fold.dataset.sha256 = output.sha256;
  return fold;
}

/** @param {any} output */
function open(output) {
  for (const fold of document.querySelectorAll("details.record")) {
    if (!(fold instanceof HTMLDetailsElement) || fold.dataset.sha256 !== output.sha256) continue;
    fold.open = true;
    fold.scrollIntoView({ block: "nearest" });
    fold.querySelector("summary")?.focus();
    return;
  }
}
