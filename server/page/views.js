// @ts-check
/** The two views of the stage, plan and results, as tabs; and what can be done with the results. */

import { element, find, icon } from "./element.js";
import { outputsOf } from "./results.js";
import { isOver } from "./run.js";

const VIEWS = ["plan", "results"];

/**
 * @param {any} store
 * @param {{code: () => void, download: (outputs: any[]) => Promise<void>}} acts
 */
export function showViews(store, acts) {
  for (const view of VIEWS) {
    find(`tab-${view}`).addEventListener("click", () => store.set({ view }));
    find(`tab-${view}`).addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key) || !store.get().submission) return;
      const other = VIEWS[1 - VIEWS.indexOf(view)];
      store.set({ view: other });
      find(`tab-${other}`).focus();
    });
  }
  const download = element(
    "button",
    { type: "button", id: "download-all", onclick: fetchAll },
    icon("download"),
    "Download all",
  );
  const code = element(
    "button",
    { type: "button", id: "copy-code", onclick: acts.code },
    icon("code"),
    "Copy as code",
  );
  const problem = element("p", { class: "problem", role: "alert" });
  find("stage-actions").append(problem, code, download);
  store.watch(["view", "submission", "pictures"], show);

  /** @param {any} state */
  function show({ view, submission, pictures }) {
    const only = pictures.length ? view : "results";
    for (const each of VIEWS) {
      const chosen = each === only;
      find(`tab-${each}`).setAttribute("aria-selected", String(chosen));
      find(`tab-${each}`).tabIndex = chosen ? 0 : -1;
      find(`view-${each}`).hidden = !chosen;
    }
    find("tab-plan").disabled = !pictures.length;
    find("tab-results").disabled = !submission;
    const there =
      only === "results" && submission && isOver(submission) && outputsOf(submission).length;
    download.hidden = !there;
    code.hidden = !(there && submission.parts.every((/** @type {any} */ part) => part.request));
  }

  async function fetchAll() {
    download.disabled = true;
    try {
      await acts.download(outputsOf(store.get().submission));
      problem.textContent = "";
    } catch (error) {
      problem.textContent = `Nothing was downloaded. ${/** @type {Error} */ (error).message}`;
    } finally {
      download.disabled = false;
    }
  }
}
