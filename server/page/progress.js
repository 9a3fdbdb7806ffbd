// @ts-check
/** How far the runs are, with the way to stop them; told aloud when the step changes. */

import { element, find, icon } from "./element.js";
import { isOver } from "./run.js";
import { capital, progressWords } from "./words.js";

/**
 * @param {any} store
 * @param {() => void} cancel
 */
export function showProgress(store, cancel) {
  let told = "";
  store.watch(["submission"], (/** @type {any} */ { submission }) => {
    if (!submission) return;
    const over = isOver(submission);
    const stop = over ? null : stopButton(submission, cancel);
    const lines = submission.parts
      .filter(worthShowing(over))
      .map((/** @type {any} */ part) => line(part, nameOf(submission, part)));
    const focused = document.activeElement?.classList.contains("stop");
    find("progress").replaceChildren(
      ...(lines.length ? [element("div", { class: "progress" }, ...lines, stop)] : []),
    );
    if (focused) (stop ?? find("tab-results")).focus();
    const words = aloud(submission, over);
    if (words !== told) find("live").textContent = words;
    told = words;
  });
}

/** @param {boolean} over */
function worthShowing(over) {
  return (/** @type {any} */ part) => !over || part.status !== "succeeded";
}

/** @param {any} part @param {string} name */
function line(part, name) {
  const ended = ["failed", "canceled"].includes(part.status);
  if (ended) return outcome(part, name);
  const words = progressWords(part);
  const bar = element("progress", { max: 100, "aria-label": "Progress" });
  if (part.status === "running") bar.value = part.percent;
  return element("div", { class: "part" }, element("p", {}, strong(name), words), bar);
}

/** @param {any} part @param {string} name */
function outcome(part, name) {
  if (part.status === "canceled") {
    return element("p", { class: "part" }, strong(name), "Cancelled: nothing was made.");
  }
  const { code, message } = part.error ?? { code: "FAILED", message: "It failed." };
  return element(
    "p",
    { class: "part failed", role: "alert" },
    icon("warn"),
    element("span", {}, strong(name), capital(message), " ", element("code", {}, code)),
  );
}

/**
 * What a run makes: its sizes, and of several pictures which.
 * @param {any} submission
 * @param {any} part
 */
function nameOf({ sources }, part) {
  const { sizes = [], pictures = [] } = part.request ?? {};
  if (!sizes.length) return "";
  const what = sizes.length === 1 ? sizes[0].title : `${sizes.length} sizes`;
  const own = sources.size > 1 && pictures.length === 1;
  return own ? `${sources.get(pictures[0]).name}: ${what}` : what;
}

/** @param {string} name */
function strong(name) {
  return name ? element("strong", {}, `${name} `) : null;
}

/**
 * @param {any} submission
 * @param {() => void} cancel
 */
function stopButton(submission, cancel) {
  const words = submission.cancelled ? "Cancelling …" : "Cancel";
  const off = submission.cancelled ? "true" : null;
  return element(
    "button",
    { type: "button", class: "stop", "aria-disabled": off, onclick: cancel },
    words,
  );
}

/**
 * @param {any} submission
 * @param {boolean} over
 */
function aloud(submission, over) {
  const { parts } = submission;
  const failed = parts.filter((/** @type {any} */ part) => part.status === "failed").length;
  if (parts.some((/** @type {any} */ part) => part.status === "canceled") && over)
    return "Cancelled";
  if (over) return failed ? `${failed} of ${parts.length} runs failed` : "All pictures are there";
  const busy = parts.find((/** @type {any} */ part) => part.status !== "succeeded");
  return progressWords({ ...busy, percent: Math.floor((busy?.percent ?? 0) / 25) * 25 });
}
