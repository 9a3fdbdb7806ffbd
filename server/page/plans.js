// @ts-check
/** The plan view: every chosen size as it will be, before anything is made. */

import { drawPlan } from "./drawing.js";
import { element, find, icon } from "./element.js";
import { nothingPlanned } from "./planning.js";
import { editKey } from "./request.js";
import { subjectsOf } from "./seen.js";
import { capital, planWords } from "./words.js";
import { createWall, nameSize } from "./wall.js";

/**
 * @param {any} store
 * @param {(size: any) => void} edit
 */
export function showPlans(store, edit) {
  const wall = createWall(find("plan-wall"), () => makeTile(edit));
  const names = ["pictures", "selected", "sizes", "planned", "edits", "protect", "corrections"];
  store.watch(names, (/** @type {any} */ state) => {
    const picture = state.pictures.find((/** @type {any} */ each) => each.id === state.selected);
    if (!picture) return;
    const planned = state.planned[picture.id] ?? nothingPlanned();
    wall.show(state.sizes.map((/** @type {any} */ size) => entry(state, picture, planned, size)));
    tellProblem(planned, picture);
    find("legend").replaceChildren(...legend(state, picture.id));
  });
}

/**
 * @param {any} state
 * @param {any} picture
 * @param {any} planned
 * @param {any} size
 */
function entry(state, picture, planned, size) {
  const byHand = state.edits[editKey(picture.id, size.key)];
  const found = planned.plans[size.key];
  const value = {
    size,
    plan: byHand ?? found?.plan ?? null,
    byHand: Boolean(byHand),
    seconds: byHand ? null : (found?.estimated_gpu_seconds ?? null),
    engine: planned.engine,
    preview: picture.preview,
    subjects: subjectsOf(state, picture.id).filter(isPart),
    protect: state.protect[picture.id] ?? [],
    failed: Boolean(planned.error),
  };
  return { key: `${picture.id} ${size.key}`, ratio: size.width / size.height, value };
}

/** What is nearly all of the picture says nothing. @param {any} subject */
function isPart({ box: [left, top, right, bottom] }) {
  return (right - left) * (bottom - top) < 0.8;
}

/** @param {(size: any) => void} edit */
function makeTile(edit) {
  let last = "";
  /** @type {any} */
  let current;
  const frame = element("button", { type: "button", class: "frame", onclick: () => edit(current) });
  const text = element("div", { class: "tile-text" });
  const node = element("article", { class: "tile" }, frame, text);
  return {
    node,
    frame,
    /** @param {any} value */
    update(value) {
      current = value.size;
      const seen = JSON.stringify(value);
      if (seen === last) return;
      last = seen;
      const { size, plan, preview, subjects, protect } = value;
      frame.replaceChildren(
        drawPlan(plan, preview, { subjects, protect, keepClear: size.keepClear }),
      );
      frame.disabled = !plan;
      frame.setAttribute("aria-label", `Edit ${size.title}, ${size.width} by ${size.height}`);
      text.replaceChildren(nameSize(size), ...describe(value));
    },
  };
}

/** @param {any} value */
function describe({ plan, byHand, seconds, engine, failed }) {
  if (!plan) return [element("p", { class: "hint" }, failed ? "No plan yet" : "Planning …")];
  const lines = [element("p", { class: "summary" }, planWords(plan, seconds, engine))];
  if (byHand) lines.push(element("p", { class: "badge own" }, icon("move"), "Placed by hand"));
  else if (plan.reasons?.length)
    lines.push(element("p", { class: "hint" }, capital(plan.reasons[0])));
  for (const warning of plan.warnings ?? []) {
    lines.push(element("p", { class: "badge warn" }, icon("warn"), capital(warning)));
  }
  return lines;
}

/**
 * @param {any} planned
 * @param {any} picture
 */
function tellProblem(planned, picture) {
  const place = find("plan-problem");
  const { error, busy, size, standIn } = planned;
  place.classList.toggle("mild", !error);
  place.textContent = error
    ? `${capital(error.message)} (${error.code})`
    : (STAND_INS[standIn] ?? "");
  if (!error && !busy && !standIn && !picture.size && !size) {
    place.textContent = "This browser cannot show the picture; the server may be able to read it.";
  }
}

/** @type {Record<string, string>} */
const STAND_INS = {
  waiting: "The server is fetching the picture; until it is there, a grey stand-in is drawn.",
  gone: "The server keeps no copy of the picture to show: a grey stand-in is drawn.",
  unreadable: "This browser cannot show the picture: a grey stand-in is drawn.",
  unreachable: "The picture could not be had from the server: a grey stand-in is drawn.",
};

/**
 * @param {any} state
 * @param {string} picture its id
 */
function legend(state, picture) {
  const words = state.corrections[picture] ? "Seen by the server, corrected" : "Seen by the server";
  const items = [
    ["source", "Kept"],
    ["added", "Added"],
  ];
  if (subjectsOf(state, picture).length) items.push(["subject", words]);
  if (state.protect[picture]?.length) items.push(["guarded", "Protected"]);
  if (state.sizes.some((/** @type {any} */ size) => size.keepClear.length)) {
    items.push(["zone", "Keep clear"]);
  }
  return items.map(([kind, name]) =>
    element("span", { class: "key" }, element("i", { class: `swatch ${kind}` }), name),
  );
}
