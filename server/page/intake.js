// @ts-check
/** How pictures come in: dropped, pasted, chosen, by address, or one that is bundled. */

import { element, find, icon } from "./element.js";
import { filesOf, forget, fromAddress, fromFile } from "./picture.js";

const READ = "JPEG, PNG, WebP, AVIF, GIF, TIFF and HEIC";

/** @param {any} store */
export function showIntake(store) {
  find("choose").addEventListener("click", () => find("file").click());
  find("file").addEventListener("change", () => {
    take(store, [...find("file").files]);
    find("file").value = "";
  });
  find("address-form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    takeAddress(store);
  });
  for (const button of /** @type {any} */ (document.querySelectorAll("[data-example]"))) {
    button.addEventListener("click", () => takeExample(store, button.dataset.example));
  }
  document.addEventListener("paste", (event) => {
    const files = filesOf(event.clipboardData);
    if (!files.length) return;
    event.preventDefault();
    take(store, files);
  });
  listenToDrops(store);
  store.watch(["pictures", "selected", "submission", "planned"], show);
  let last = "";

  /** @param {any} state */
  function show({ pictures, selected, submission, planned }) {
    const ready = Boolean(pictures.length || submission);
    const problems = pictures.map((/** @type {any} */ each) => problemOf(planned[each.id]));
    const shots = pictures.map((/** @type {any} */ each) => [each.id, each.preview]);
    const seen = JSON.stringify([ready, selected, shots, problems]);
    if (seen === last) return;
    last = seen;
    document.body.dataset.state = ready ? "ready" : "empty";
    const add = element(
      "li",
      {},
      element(
        "button",
        {
          type: "button",
          class: "add-picture",
          "aria-label": "Add pictures",
          onclick: () => find("file").click(),
        },
        icon("plus"),
      ),
    );
    const thumbs = pictures.map((/** @type {any} */ each, /** @type {number} */ number) =>
      thumb(store, each, each.id === selected, problems[number]),
    );
    const place = find("thumbs");
    const at = [...place.querySelectorAll("button")].indexOf(document.activeElement);
    place.replaceChildren(...thumbs, ...(ready ? [add] : []));
    if (at >= 0) place.querySelectorAll("button")[at]?.focus();
  }
}

/** @param {any} store @param {File[]} files */
async function take(store, files) {
  say("");
  if (!files.length) return;
  keep(store, await Promise.all(files.map(fromFile)));
}

/** @param {any} store */
function takeAddress(store) {
  try {
    keep(store, [fromAddress(find("address").value)]);
    find("address").value = "";
    say("");
  } catch (error) {
    say(/** @type {Error} */ (error).message);
    find("address").focus();
  }
}

/** @param {any} store @param {string} name */
async function takeExample(store, name) {
  try {
    const response = await fetch(`page/${name}`);
    if (!response.ok) throw new Error();
    const data = await response.blob();
    await take(store, [new File([data], name, { type: "image/webp" })]);
  } catch {
    say("The example cannot be fetched: the server does not answer.");
  }
}

/** @param {any} store @param {any[]} added */
function keep(store, added) {
  const first = !store.get().pictures.length;
  const pictures = [...store.get().pictures, ...added];
  store.set({ pictures, selected: added[0].id, view: "plan" });
  if (first) find("run").focus({ preventScroll: true });
}

/**
 * Why the server cannot read a picture, empty where it can or was not asked yet.
 * @param {any} planned
 */
function problemOf(planned) {
  const { code = "", message = "" } = planned?.error ?? {};
  return /^(IMAGE|SOURCE)_/.test(code) ? message : "";
}

/**
 * @param {any} store
 * @param {any} picture
 * @param {boolean} chosen
 * @param {string} problem
 */
function thumb(store, picture, chosen, problem) {
  const inside = picture.preview
    ? element("img", { src: picture.preview, alt: "" })
    : element("span", {}, picture.url ? "address" : kindOf(picture.name));
  const choose = () => store.set({ selected: picture.id });
  const words = problem ? `${picture.name}: ${problem}` : picture.name;
  return element(
    "li",
    { class: problem ? "thumb unread" : "thumb" },
    element(
      "button",
      {
        type: "button",
        title: words,
        "aria-label": words,
        "aria-pressed": String(chosen),
        onclick: choose,
      },
      inside,
    ),
    element(
      "button",
      {
        type: "button",
        class: "remove",
        "aria-label": `Remove ${picture.name}`,
        onclick: () => remove(store, picture),
      },
      icon("close"),
    ),
  );
}

/** What stands for a picture that the browser cannot show: HEIC of a.heic. @param {string} name */
function kindOf(name) {
  return /\.(\w{1,5})$/.exec(name)?.[1].toUpperCase() ?? "file";
}

/** @param {any} store @param {any} picture */
function remove(store, picture) {
  const state = store.get();
  const pictures = state.pictures.filter((/** @type {any} */ each) => each.id !== picture.id);
  const selected = state.selected === picture.id ? (pictures[0]?.id ?? null) : state.selected;
  const shown = [...(state.submission?.sources?.keys() ?? [])].includes(picture.id);
  if (!shown) forget(picture);
  store.set({ pictures, selected });
  (find("thumbs").querySelector("button") ?? find("choose")).focus();
}

/** @param {any} store */
function listenToDrops(store) {
  let depth = 0;
  const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  const veil = (/** @type {boolean} */ on) => {
    find("veil").hidden = !on;
  };
  document.addEventListener("dragenter", (event) => {
    if (!carries(event)) return;
    depth += 1;
    veil(true);
  });
  document.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) veil(false);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    veil(false);
    const files = filesOf(event.dataTransfer);
    const others = (event.dataTransfer?.files.length ?? 0) - files.length;
    if (files.length) take(store, files);
    if (!files.length) say(`That was no picture: ${READ} are read.`);
    else if (others) say(`${others} of them left out: ${READ} are read.`);
  });
}

/** @param {string} words */
function say(words) {
  find("intake-problem").textContent = words;
}
