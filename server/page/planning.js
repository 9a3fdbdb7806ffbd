// @ts-check
/**
 * Keeps the plans of the selected picture true: at once by arithmetic, and as soon as the server
 * has looked at the picture, with what it saw there.
 */

import { ApiError } from "./api.js";
import { inServerOrder } from "./size.js";
import { makeInput } from "./request.js";

const PAUSE = 120;
const PATIENCE = 1500;

/**
 * @typedef {object} Planned what is known of a picture's plans
 * @property {any | null} composition what the server saw, null before it looked
 * @property {[number, number] | null} size
 * @property {Record<string, any>} plans by the key of their size
 * @property {string} engine who would paint them
 * @property {{code: string, message: string} | null} error
 * @property {boolean} busy
 */

/** @returns {Planned} */
export function nothingPlanned() {
  return { composition: null, size: null, plans: {}, engine: "", error: null, busy: false };
}

/**
 * @param {any} store
 * @param {any} api
 */
export function startPlanning(store, api) {
  let timer = 0;
  /** @type {AbortController | null} */
  let running = null;
  const looking = new Map();

  /** @param {string} id @param {Partial<Planned>} change */
  function tell(id, change) {
    const { planned, pictures } = store.get();
    if (!pictures.some((/** @type {any} */ picture) => picture.id === id)) return;
    const before = planned[id] ?? nothingPlanned();
    store.set({ planned: { ...planned, [id]: { ...before, ...change } } });
  }

  /** @param {any} picture */
  async function plan(picture) {
    running?.abort();
    const control = new AbortController();
    running = control;
    const { sizes, options, protect } = store.get();
    const ordered = inServerOrder(sizes);
    const known = store.get().planned[picture.id] ?? nothingPlanned();
    const size = known.size ?? picture.size;
    if (!ordered.length || !size) return;
    const seen = known.composition ? { composition: known.composition } : {};
    const input = makeInput(ordered, forPlans(options), protect[picture.id] ?? []);
    tell(picture.id, { busy: true });
    try {
      const wish = { ...input, ...seen, source_size: size };
      const answer = await api.makePlans(wish, [], control.signal);
      const plans = byKey(answer, ordered);
      tell(picture.id, { plans, engine: answer.engine, error: null, busy: false });
    } catch (error) {
      if (!control.signal.aborted) tell(picture.id, { plans: {}, ...failed(error) });
    }
  }

  /** Have the server look, once for each picture. @param {any} picture */
  async function look(picture) {
    const { sizes, options, protect } = store.get();
    if (looking.has(picture.id) || !sizes.length) return;
    const control = new AbortController();
    looking.set(picture.id, control);
    const ordered = inServerOrder(sizes);
    const address = picture.url ? { image_url: picture.url } : {};
    const input = makeInput(ordered, forPlans(options), protect[picture.id] ?? []);
    if (!picture.size) tell(picture.id, { busy: true });
    try {
      const files = picture.file ? [picture.file] : [];
      let answer = await api.makePlans({ ...address, ...input }, files, control.signal);
      while (!answer.plans) {
        await new Promise((resolve) => setTimeout(resolve, PATIENCE));
        answer = await api.plans(answer.id, control.signal);
      }
      /** @type {[number, number]} */
      const size = [answer.source.width, answer.source.height];
      tell(picture.id, { composition: answer.composition, size, error: null });
      soon();
    } catch (error) {
      looking.delete(picture.id);
      if (!picture.size) tell(picture.id, failed(error));
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const { pictures, selected } = store.get();
      const picture = pictures.find((/** @type {any} */ each) => each.id === selected);
      if (!picture) return;
      plan(picture);
      look(picture);
    }, PAUSE);
  }

  store.watch(["pictures", "selected", "sizes", "options", "protect", "key"], soon);
}

/** What has to do with how things are painted or written does not change a plan. */
const RULES = [
  "policy",
  "max_crop",
  "keep_clear",
  "anchor",
  "prefer",
  "copy_space",
  "feather",
  "mode",
  "protect_kinds",
];

/** @param {Record<string, any>} options */
function forPlans(options) {
  return Object.fromEntries(Object.entries(options).filter(([name]) => RULES.includes(name)));
}

/**
 * @param {any} answer
 * @param {any[]} sizes
 */
function byKey(answer, sizes) {
  return Object.fromEntries(
    answer.plans.map((/** @type {any} */ each) => [sizes[each.target].key, each]),
  );
}

/** @param {any} error */
function failed(error) {
  const known = error instanceof ApiError;
  const told = known ? error : { code: "PAGE_ERROR", message: String(error) };
  return { busy: false, error: { code: told.code, message: told.message } };
}
