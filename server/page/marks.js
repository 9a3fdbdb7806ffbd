// @ts-check
/** The editor's boxes: what the server saw, to be corrected, and what is protected. */

import { drawBox, inPicture } from "./boxes.js";
import { element, icon } from "./element.js";
import { correct, namesOf, subjectsOf } from "./seen.js";

/** @typedef {import("./boxes.js").Box} Box */
/** @typedef {{kind: "subject" | "guarded", number: number}} Chosen */

const NOBODY = "Choose a box on the picture to move, resize or remove it.";

/**
 * @param {any} store
 * @param {HTMLElement} place lies where the source lies
 * @param {{picture: () => string, hold: (held: boolean) => void, leave: () => void}} table
 *   `hold` hears whether a box is being dragged, `leave` that the last chosen one is gone
 */
export function createMarks(store, place, { picture, hold, leave }) {
  /** @type {Chosen | null} */
  let chosen = null;
  const words = element("p", { class: "hint", role: "status" });
  const guard = button("shield", "Protect", () => chosen && protect(chosen.number));
  const remove = button("close", "Remove", () => chosen && change(chosen, null));
  const restore = button("reset", "Back to what was seen", undo);
  const panel = element(
    "div",
    { class: "chosen-box", role: "group", "aria-label": "Chosen box" },
    words,
    element("div", { class: "row" }, guard, remove, restore),
  );

  /** @param {Chosen["kind"]} kind @returns {any[]} */
  function listOf(kind) {
    const state = store.get();
    return kind === "subject" ? subjectsOf(state, picture()) : (state.protect[picture()] ?? []);
  }

  /** @param {Chosen} one */
  function nameOf({ kind, number }) {
    return kind === "guarded" ? `Protected ${number + 1}` : namesOf(listOf(kind))[number];
  }

  /** Draws them anew; what is chosen stays so, with the focus where it was on a box. */
  function show() {
    const focused = place.contains(document.activeElement);
    const subjects = listOf("subject").map((each, number) => draw("subject", number, each.box));
    const guarded = listOf("guarded").map((box, number) => draw("guarded", number, box));
    place.replaceChildren(...subjects, ...guarded);
    if (chosen && !listOf(chosen.kind)[chosen.number]) chosen = null;
    tell();
    const node = find(chosen);
    if (focused && node) node.focus();
    else if (focused) leave();
  }

  /** @param {Chosen["kind"]} kind @param {number} number @param {any} box */
  function draw(kind, number, box) {
    const one = { kind, number };
    const seen = kind === "subject";
    const role = seen ? "box seen by the server" : "protected box";
    return drawBox(inPicture(box), { kind, name: nameOf(one), role }, {
      choose: () => choose(one),
      change: (next, over) => {
        hold(!over);
        if (over) change(one, next);
      },
      enter: seen ? () => protect(number) : undefined,
    });
  }

  /** @param {Chosen | null} one */
  function choose(one) {
    chosen = one;
    tell();
  }

  function tell() {
    for (const node of place.children) node.classList.toggle("chosen", node === find(chosen));
    guard.hidden = chosen?.kind !== "subject";
    remove.hidden = !chosen;
    restore.hidden = !store.get().corrections[picture()];
    const seen = chosen?.kind === "subject" ? ", seen by the server" : "";
    const now = chosen ? `${nameOf(chosen)}${seen}` : NOBODY;
    if (words.textContent !== now) words.textContent = now;
  }

  /** @param {Chosen | null} one @returns {any} */
  function find(one) {
    return one && place.querySelectorAll(`.mark.${one.kind}`)[one.number];
  }

  /** @param {Chosen} one @param {Box | null} box */
  function change({ kind, number }, box) {
    const list = listOf(kind);
    const focused = document.activeElement;
    if (!box) chosen = null;
    if (kind === "subject") set("corrections", correct(list, number, box));
    else set("protect", box ? list.with(number, box) : list.toSpliced(number, 1));
    if (!box && (focused === remove || !document.activeElement?.isConnected)) leave();
  }

  /** @param {number} number of a subject */
  function protect(number) {
    const { box } = listOf("subject")[number];
    add(inPicture(box));
    find(chosen)?.focus();
  }

  /** @param {Box} box */
  function add(box) {
    const boxes = listOf("guarded");
    chosen = { kind: "guarded", number: boxes.length };
    set("protect", [...boxes, box]);
  }

  function undo() {
    const { [picture()]: _, ...corrections } = store.get().corrections;
    if (chosen?.kind === "subject") chosen = null;
    store.set({ corrections });
    leave();
  }

  /** @param {"corrections" | "protect"} name @param {any[]} list */
  function set(name, list) {
    store.set({ [name]: { ...store.get()[name], [picture()]: list } });
  }

  return { panel, show, add, choose };
}

/** @param {string} sign @param {string} label @param {() => void} act */
function button(sign, label, act) {
  return element("button", { type: "button", onclick: act }, icon(sign), label);
}
