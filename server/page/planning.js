// @ts-check
/**
 * Keeps the plans of the selected picture true: at once by arithmetic, and as soon as the server
 * has looked at the picture, with what it saw there.
 */

import { ApiError } from "./api.js";
import { inServerOrder } from "./size.js";
import { editKey, makeInput } from "./request.js";
import { corrected } from "./seen.js";
import { fetchSources } from "./sources.js";

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
 * @property {string} standIn why a picture at an address is not drawn itself: "waiting" for the
 *   server, or what is lacking; empty where nothing stands in
 */

/** @returns {Planned} */
export function nothingPlanned() {
  const nothing = { composition: null, size: null, error: null };
  return { ...nothing, plans: {}, engine: "", busy: false, standIn: "" };
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
    const wish = sketch(picture);
    if (!wish) return;
    const ordered = inServerOrder(store.get().sizes);
    tell(picture.id, { busy: true });
    try {
      const answer = await api.makePlans(wish, [], control.signal);
      const plans = byKey(answer, ordered);
      tell(picture.id, { plans, engine: answer.engine, error: null, busy: false });
    } catch (error) {
      if (!control.signal.aborted) tell(picture.id, { plans: {}, ...failed(error) });
    }
  }

  /**
   * What plans by arithmetic are asked with; null where nothing can be planned yet.
   * @param {any} picture
   */
  function sketch(picture) {
    const { sizes, options, protect, planned, corrections } = store.get();
    const known = planned[picture.id] ?? nothingPlanned();
    const size = known.size ?? picture.size;
    if (!sizes.length || !size) return null;
    const input = makeInput(inServerOrder(sizes), forPlans(options), protect[picture.id] ?? []);
    const seen = known.composition && corrected(known.composition, corrections[picture.id]);
    return { ...input, ...(seen ? { composition: seen } : {}), source_size: size };
  }

  /**
   * The plans of pictures in which what was seen is corrected, by `editKey`: a run looks at its
   * picture itself, and would not know of it.
   * @returns {Promise<Record<string, any>>}
   */
  async function planCorrected() {
    const { pictures, corrections, sizes } = store.get();
    const ordered = inServerOrder(sizes);
    /** @type {Record<string, any>} */
    const found = {};
    for (const picture of pictures.filter((/** @type {any} */ each) => corrections[each.id])) {
      const answer = await api.makePlans(sketch(picture), [], new AbortController().signal);
      for (const [key, each] of Object.entries(byKey(answer, ordered))) {
        found[editKey(picture.id, key)] = each.plan;
      }
    }
    return found;
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
    if (!picture.size) tell(picture.id, { busy: true, standIn: picture.url ? "waiting" : "" });
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
      if (picture.url) await show(picture.id, answer.id);
    } catch (error) {
      looking.delete(picture.id);
      if (!picture.size) tell(picture.id, { ...failed(error), standIn: "" });
    }
  }

  /**
   * Draw with what the server fetched: the browser itself asks no other host.
   * @param {string} id
   * @param {string} run that looked at the picture
   */
  async function show(id, run) {
    const [seen] = await fetchSources(api, run).catch(() => []);
    const { pictures } = store.get();
    const copy = { preview: seen?.preview ?? null, size: seen?.size ?? null };
    tell(id, { standIn: seen?.lack ?? "unreachable" });
    if (!copy.preview) return;
    if (!pictures.some((/** @type {any} */ each) => each.id === id)) {
      return URL.revokeObjectURL(copy.preview);
    }
    store.set({
      pictures: pictures.map((/** @type {any} */ each) =>
        each.id === id ? { ...each, ...copy } : each,
      ),
    });
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

  const names = ["pictures", "selected", "sizes", "options", "protect", "corrections", "key"];
  store.watch(names, soon);
  return { planCorrected };
}

/** What decides a plan, and whether it leaves a picture behind: not how things are painted. */
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
  "store",
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
