// @ts-check
/** The sheet that shows what was run as code, to be copied. */

import { asCommand, asCurl, asPython } from "./code.js";
import { element, find, icon } from "./element.js";

const KINDS = Object.freeze({ curl: "curl", python: "Python", command: "Command line" });

/** @param {any} store */
export function createCodeSheet(store) {
  const sheet = find("code-dialog");
  const text = element("pre", { tabIndex: 0, id: "code" });
  const told = element("span", { class: "hint", role: "status" });
  const note = element("p", { class: "hint" });
  const tabs = Object.entries(KINDS).map(([kind, words]) =>
    element("button", { type: "button", class: "choice", onclick: () => show(kind) }, words),
  );
  sheet.append(
    element(
      "div",
      { class: "sheet-head" },
      element("h2", { id: "code-title" }, "The same as code"),
      element("span", { class: "space" }),
      element(
        "button",
        { type: "button", class: "quiet", "aria-label": "Close", onclick: () => sheet.close() },
        icon("close"),
      ),
    ),
    element("div", { class: "row", role: "group", "aria-label": "Language" }, ...tabs),
    text,
    note,
    element(
      "p",
      { class: "row" },
      element("button", { type: "button", class: "primary", onclick: copy }, "Copy"),
      told,
    ),
  );

  /** @param {string} kind */
  function show(kind) {
    const { submission, key } = store.get();
    const base = new URL(".", location.href).href;
    tabs.forEach((tab, number) => {
      tab.setAttribute("aria-pressed", String(Object.keys(KINDS)[number] === kind));
    });
    text.textContent = submission.parts.map(write(submission, kind, base, Boolean(key))).join("\n");
    note.textContent = notes(kind, Boolean(key));
    told.textContent = "";
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(text.textContent ?? "");
      told.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(text);
      told.textContent = "Selected: copy it with Ctrl C";
    }
  }

  return {
    open() {
      show("curl");
      sheet.showModal();
    },
  };
}

/**
 * @param {any} submission
 * @param {string} kind
 * @param {string} base
 * @param {boolean} withKey
 */
function write(submission, kind, base, withKey) {
  return (/** @type {any} */ part) => {
    const pictures = part.request.pictures.map((/** @type {string} */ id) =>
      submission.sources.get(id),
    );
    const seed = part.record?.input?.seed;
    const input = seed === undefined ? part.request.input : { ...part.request.input, seed };
    if (kind === "curl") return asCurl(base, input, pictures, withKey);
    if (kind === "python") return asPython(base, input, pictures, withKey);
    const engine = part.record?.output?.outputs?.[0]?.engine ?? "preview";
    return asCommand(input, pictures, engine);
  };
}

/** @param {string} kind @param {boolean} withKey */
function notes(kind, withKey) {
  if (kind === "command") {
    return "Runs on this machine, without the server, beside the pictures; one variant of each.";
  }
  const tool = kind === "python" ? "It needs httpx2: pip install httpx2. " : "";
  const key = withKey ? "Put your key into the variable KEY. " : "";
  return `${tool}${key}The pictures are read from the current folder.`;
}
