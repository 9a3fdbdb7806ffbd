// @ts-check
/** The page put together. */

import { keepAddress } from "./address.js";
import { ApiError, createApi } from "./api.js";
import { keepBefore } from "./before.js";
import { createCodeSheet } from "./code-sheet.js";
import { downloadAll } from "./download.js";
import { createEditor } from "./editor.js";
import { find } from "./element.js";
import { createHistory } from "./history.js";
import { showIntake } from "./intake.js";
import { createKeySheet } from "./key-sheet.js";
import { readKey } from "./key.js";
import { showOptions } from "./options.js";
import { startPlanning } from "./planning.js";
import { showPlans } from "./plans.js";
import { showProgress } from "./progress.js";
import { makeRequests } from "./request.js";
import { showResults } from "./results.js";
import { createRunner } from "./run.js";
import { showPresets, showSizes } from "./sizes.js";
import { createStore } from "./store.js";
import { showViews } from "./views.js";

const store = createStore({
  key: "",
  pictures: /** @type {any[]} */ ([]),
  selected: /** @type {string | null} */ (null),
  sizes: /** @type {any[]} */ ([]),
  options: /** @type {Record<string, any>} */ ({}),
  planned: /** @type {Record<string, any>} */ ({}),
  edits: /** @type {Record<string, any>} */ ({}),
  protect: /** @type {Record<string, number[][]>} */ ({}),
  corrections: /** @type {Record<string, any[]>} */ ({}),
  submission: /** @type {any} */ (null),
  view: "plan",
});

/** Refusals that a key was asked for already. */
const heard = new WeakSet();

const api = createApi(() => store.get().key);
const runner = createRunner(store, api);
const keySheet = createKeySheet(store);
const codeSheet = createCodeSheet(store);
const editor = createEditor(store);
showIntake(store);
showSizes(store);
showPlans(store, editor.open);
showResults(store);
showProgress(store, () => runner.cancel().catch(refused));
showViews(store, { code: codeSheet.open, download: (outputs) => downloadAll(api, outputs) });
keepBefore(store, api);
createHistory(api, runner.reopen, refused);
const openAddressed = keepAddress(store, api, runner.reopen, refused);
const { planCorrected } = startPlanning(store, api);

find("run").addEventListener("click", run);
store.watch(["pictures", "sizes", "options", "submission", "corrections"], offer);
store.watch(["key"], greet);
store.watch(["planned", "submission"], askWhereRefused);
find("browse").open = matchMedia("(width >= 900px)").matches;
if (readKey()) store.set({ key: readKey() });
else greet();
offer();

/** Fetches what the server has to offer, once it lets us in. */
async function greet() {
  try {
    const [presets, model] = await Promise.all([api.presets(), api.model()]);
    showPresets(store, presets);
    showOptions(store, model);
    await openAddressed();
  } catch (error) {
    if (!refused(error)) find("run-note").textContent = /** @type {Error} */ (error).message;
  }
}

function offer() {
  const { pictures, sizes, options, corrections } = store.get();
  const count = pictures.length * sizes.length * (options.variants ?? 1);
  const ready = count > 0;
  find("run").setAttribute("aria-disabled", String(!ready));
  find("run").textContent = ready
    ? `Make ${count} ${count === 1 ? "picture" : "pictures"}`
    : "Make pictures";
  const missing = pictures.length ? "Choose a size first." : "Give it a picture first.";
  const what = pictures.length === 1 ? pictures[0].name : `${pictures.length} pictures`;
  const apart = pictures.some((picture) => corrections[picture.id])
    ? ", corrected: one run per size"
    : "";
  find("run-note").textContent = ready ? `of ${what}${apart}` : missing;
}

let starting = false;

async function run() {
  if (starting) return;
  const { pictures, sizes, options, edits: byHand, protect, planned } = store.get();
  if (!pictures.length || !sizes.length) {
    (pictures.length ? find("custom") : find("choose")).focus();
    return;
  }
  let edits = byHand;
  starting = true;
  try {
    edits = { ...(await planCorrected()), ...byHand };
  } catch (error) {
    if (!refused(error)) find("run-note").textContent = /** @type {Error} */ (error).message;
    return;
  } finally {
    starting = false;
  }
  const sources = pictures.map((picture) => ({ ...picture, protect: protect[picture.id] ?? [] }));
  const requests = makeRequests(sources, sizes, options, edits);
  const files = new Map(pictures.map((picture) => [picture.id, picture.file]));
  const plans = Object.fromEntries(
    Object.entries(planned).map(([id, known]) => [
      id,
      Object.fromEntries(Object.entries(known.plans).map(([key, each]) => [key, each.plan])),
    ]),
  );
  const order = sizes.map((size) => size.key);
  const shown = {
    order,
    sources: new Map(pictures.map((picture) => [picture.id, picture])),
    plans,
  };
  runner.start(requests, files, shown);
  find("stage").scrollIntoView({ block: "nearest" });
  find("stage").scrollTop = 0;
}

/**
 * Asks for a key where the server wants one, or another one.
 * @param {any} error
 * @returns {boolean} whether that was it
 */
function refused(error) {
  if (!(error instanceof ApiError) || error.status !== 401) return false;
  askForKey();
  return true;
}

/** @param {any} state */
function askWhereRefused({ planned, submission }) {
  const errors = [
    ...Object.values(planned).map((known) => known.error),
    ...(submission?.parts ?? []).map((/** @type {any} */ part) => part.error),
  ];
  const fresh = errors.filter((error) => error?.code === "UNAUTHORIZED" && !heard.has(error));
  for (const error of fresh) heard.add(error);
  if (fresh.length) askForKey();
}

function askForKey() {
  const words = store.get().key
    ? "The server does not know this key, or it was revoked."
    : "This server wants a key.";
  keySheet.ask(words);
}
