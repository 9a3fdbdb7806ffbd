// @ts-check
/** One size by hand: the picture is moved and scaled in its frame, and boxes are moved on it. */

import { createTable, viewOf } from "./bench.js";
import { element, find, icon } from "./element.js";
import { lendHand } from "./hand.js";
import { createMarks } from "./marks.js";
import {
  bounded,
  centred,
  contained,
  covering,
  cutBoxes,
  planAt,
  scaleRange,
  scaled,
  spotOf,
} from "./plan.js";
import { editKey } from "./request.js";
import { capital, percent, planWords } from "./words.js";

const STEPS = 1000;

/**
 * @param {any} store
 * @returns {{open: (size: any) => void}}
 */
export function createEditor(store) {
  const dialog = find("editor");
  const sheet = createTable();
  /** @type {any} */
  let now = null;

  const title = element("h2", { id: "editor-title" });
  const pixels = element("span", { class: "pixels" });
  const words = element("div", { class: "edit-words", "aria-live": "polite" });
  const range = element("input", {
    type: "range",
    id: "edit-scale",
    min: 0,
    max: STEPS,
    oninput: onRange,
  });
  const drawing = button("shield", "Draw a protected box", () =>
    setMode(now.mode === "box" ? "move" : "box"),
  );
  const automatic = button("reset", "Back to automatic", reset);
  const bench = element(
    "div",
    {
      class: "bench",
      tabIndex: 0,
      role: "group",
      "aria-label":
        "Frame: arrow keys move the picture, plus and minus scale it, 0 shows all of it, 1 fills the frame",
    },
    sheet.table,
  );
  const marks = createMarks(store, sheet.boxes, {
    picture: () => now.picture,
    hold: (held) => {
      now.held = held;
    },
    leave: () => bench.focus(),
  });
  bench.addEventListener("focus", () => now && marks.choose(null));
  lendHand(bench, { now: () => now, boxes: sheet.boxes, move, draw });
  const done = element(
    "button",
    { type: "button", class: "primary", onclick: () => dialog.close() },
    "Done",
  );
  dialog.append(
    element(
      "header",
      { class: "edit-head" },
      title,
      pixels,
      element("span", { class: "space" }),
      done,
    ),
    bench,
    element(
      "div",
      { class: "edit-tools" },
      element(
        "div",
        { class: "row" },
        button(null, "Whole picture", () => move(contained(now.auto))),
        button(null, "Fill the frame", () => move(covering(now.auto))),
        button(null, "Centre", () => move(centred(now.auto, now.spot.scale))),
      ),
      element(
        "div",
        { class: "row scale" },
        element("label", { for: "edit-scale" }, "Scale"),
        range,
      ),
      element("div", { class: "row" }, drawing, automatic),
      marks.panel,
      words,
    ),
  );
  dialog.addEventListener("close", () => {
    now = null;
  });
  new ResizeObserver(() => now && show(true)).observe(bench);
  const names = ["planned", "protect", "corrections", "edits", "pictures"];
  store.watch(names, () => now && refresh());

  /** @param {any} size */
  function open(size) {
    now = { size, picture: store.get().selected, mode: "move", spot: null, view: null, auto: null };
    title.textContent = size.title;
    pixels.textContent = `${size.width} × ${size.height}`;
    refresh();
    if (!now.auto) {
      now = null;
      return;
    }
    setMode("move");
    dialog.showModal();
    show(true);
    bench.focus();
  }

  /** Takes over what changed outside, a new automatic plan for instance. */
  function refresh() {
    const { planned, edits, pictures } = store.get();
    const picture = pictures.find((/** @type {any} */ each) => each.id === now.picture);
    const known = planned[now.picture];
    const auto = known?.plans[now.size.key]?.plan ?? now.auto;
    if (!auto) return;
    now.auto = auto;
    now.edited = edits[editKey(now.picture, now.size.key)] ?? null;
    if (!now.held) now.spot = spotOf(now.edited ?? auto);
    sheet.load(picture?.preview ?? null);
    if (dialog.open) show(!now.held);
  }

  /** @param {boolean} fit whether the view may move too */
  function show(fit) {
    const room = { width: bench.clientWidth, height: bench.clientHeight };
    if (!room.width) return;
    if (fit || !now.view) now.view = viewOf(now.auto, now.spot, room);
    sheet.put(now.auto, now.spot, now.view, now.size.keepClear);
    if (!now.held) marks.show();
    const { least, most } = scaleRange(now.auto);
    range.value = String((STEPS * Math.log(now.spot.scale / least)) / Math.log(most / least));
    range.setAttribute("aria-valuetext", percent(now.spot.scale));
    automatic.disabled = !now.edited;
    describe(now.edited ?? now.auto);
  }

  /** @param {any} plan */
  function describe(plan) {
    const protect = store.get().protect[now.picture] ?? [];
    const cut = cutBoxes(plan, protect).map((number) => `Protected ${number + 1} is cut`);
    const warnings = [...(now.edited ? cut : (plan.warnings ?? []))];
    words.replaceChildren(
      element(
        "p",
        { class: "summary" },
        planWords(plan, null),
        `, scale ${percent(now.spot.scale)}`,
      ),
      element("p", { class: "hint" }, (plan.reasons ?? []).map(capital).join(". ")),
      ...warnings.map((warning) =>
        element("p", { class: "badge warn" }, icon("warn"), capital(warning)),
      ),
      element(
        "p",
        { class: "hint keys" },
        "Arrow keys move, Shift in small steps; + and − scale. ",
        "A box: Ctrl with arrows moves its corner, Delete removes it, Enter protects what was seen.",
      ),
    );
  }

  /** @param {import("./plan.js").Spot} spot */
  function move(spot, fit = true) {
    const plan = planAt(now.auto, spot);
    now.spot = bounded(now.auto, spot);
    const { edits } = store.get();
    now.edited = plan;
    store.set({ edits: { ...edits, [editKey(now.picture, now.size.key)]: plan } });
    show(fit);
  }

  function reset() {
    const { [editKey(now.picture, now.size.key)]: _, ...edits } = store.get().edits;
    store.set({ edits });
    bench.focus();
  }

  /** A box that was drawn; null for a click that drew none. @param {any} box */
  function draw(box) {
    setMode("move");
    if (box) marks.add(box);
    else show(true);
  }

  /** @param {string} mode */
  function setMode(mode) {
    now.mode = mode;
    bench.classList.toggle("drawing-box", mode === "box");
    drawing.setAttribute("aria-pressed", String(mode === "box"));
  }

  /** Around the middle of the frame, to what the slider says. */
  function onRange() {
    const { least, most } = scaleRange(now.auto);
    const scale = least * (most / least) ** (Number(range.value) / STEPS);
    const [width, height] = now.auto.target;
    move(scaled(now.spot, scale / now.spot.scale, width / 2, height / 2));
  }

  return { open };
}

/** @param {string | null} sign @param {string} label @param {() => void} act */
function button(sign, label, act) {
  return element("button", { type: "button", onclick: act }, sign && icon(sign), label);
}
