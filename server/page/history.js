// @ts-check
/** The key's runs of before; one of them can be opened again. */

import { here } from "./api.js";
import { element, find, icon } from "./element.js";

/**
 * @param {any} api
 * @param {(record: any) => void} reopen
 * @param {(error: any) => boolean} refused asks for a key where one is needed
 */
export function createHistory(api, reopen, refused) {
  const sheet = find("history-dialog");
  const list = element("ul", { class: "runs" });
  const words = element("p", { class: "empty" });
  const more = element(
    "button",
    { type: "button", hidden: true, onclick: () => load() },
    "Older runs",
  );
  const close = element(
    "button",
    { type: "button", class: "quiet", "aria-label": "Close", onclick: () => sheet.close() },
    icon("close"),
  );
  sheet.append(
    element(
      "div",
      { class: "sheet-head" },
      element("h2", { id: "history-title" }, "History"),
      element("span", { class: "space" }),
      close,
    ),
    list,
    words,
    more,
  );
  /** @type {string | null} */
  let next = null;
  find("open-history").addEventListener("click", open);

  async function open() {
    next = null;
    list.replaceChildren();
    say("Loading …");
    sheet.showModal();
    await load();
  }

  async function load() {
    try {
      const page = await api.runs(next);
      next = page.next_pq;
      list.append(...page.items.map(line));
      say(
        list.children.length
          ? ""
          : "Nothing was run yet. What you make will be listed here until it expires.",
      );
      more.hidden = !next;
    } catch (error) {
      sheet.close();
      if (!refused(error)) {
        sheet.showModal();
        say(`${/** @type {any} */ (error).message} (${/** @type {any} */ (error).code})`);
      }
    }
  }

  /** @param {string} text */
  function say(text) {
    words.textContent = text;
    words.hidden = !text;
    list.hidden = !list.children.length;
  }

  /** @param {any} run */
  function line(run) {
    const again = () => {
      sheet.close();
      reopen(run);
    };
    const first = run.output?.outputs?.[0];
    const shot = first ? element("img", { src: here(first.url), alt: "", loading: "lazy" }) : null;
    return element(
      "li",
      {},
      element(
        "button",
        { type: "button", onclick: again },
        element("span", { class: "shot" }, shot),
        element(
          "span",
          { class: "what" },
          element("span", {}, title(run)),
          element("span", { class: "hint" }, when(run.created_at)),
        ),
        element(
          "span",
          { class: `badge ${KINDS[run.status_code] ?? "plain"}` },
          STATES[run.status_code] ?? run.status_code,
        ),
      ),
    );
  }

  return { open };
}

/** @type {Record<string, string>} */
const KINDS = { succeeded: "good", failed: "bad", running: "own" };

/** @type {Record<string, string>} */
const STATES = {
  succeeded: "Done",
  failed: "Failed",
  canceled: "Cancelled",
  queued: "Waiting",
  running: "Running",
};

/** @param {any} run */
function title(run) {
  const targets = run.input?.targets ?? [];
  const outputs = run.output?.outputs ?? [];
  const sizes = targets.map(sizeOf).filter(Boolean);
  const words =
    sizes.slice(0, 4).join(", ") + (sizes.length > 4 ? ` and ${sizes.length - 4} more` : "");
  const name = outputs[0]?.file_name.replace(/-\d+x\d+.*$/, "");
  return name ? `${name}: ${words}` : words || run.model;
}

/** @param {any} target */
function sizeOf(target) {
  if (target.preset) return target.preset;
  return target.aspect ?? (target.width ? `${target.width}×${target.height}` : "own plan");
}

/** @param {string} time */
function when(time) {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
