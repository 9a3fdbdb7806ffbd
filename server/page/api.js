// @ts-check
/** The server's run API, as this page needs it. Addresses are relative: any prefix works. */

import { readEvents } from "./events.js";

const MODEL = "v1/models/local/smart-resize";

/** Something that the server refused or could not do, in its own words. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where the server was not reached
   * @param {string} code
   * @param {string} message
   * @param {number | null} retryAfter seconds
   */
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** @param {() => string} readKey */
export function createApi(readKey) {
  /**
   * @param {string} path
   * @param {RequestInit & {headers?: Record<string, string>}} [wish]
   */
  async function ask(path, wish = {}) {
    const key = readKey();
    const headers = { ...wish.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let response;
    try {
      response = await fetch(path, { ...wish, headers, cache: "no-store", credentials: "omit" });
    } catch (error) {
      if (wish.signal?.aborted) throw error;
      throw new ApiError(0, "UNREACHABLE", "The server cannot be reached.");
    }
    if (!response.ok) throw await readError(response);
    return response;
  }

  /** @param {string} path @param {any} [wish] */
  const json = async (path, wish) => (await ask(path, wish)).json();

  return {
    presets: () => json("v1/presets"),
    model: () => json(MODEL),
    /** @param {string | null} next */
    runs: (next) => json(`v1/runs?limit=24${next ? `&pq=${encodeURIComponent(next)}` : ""}`),
    /** @param {string} id */
    run: (id) => json(`v1/runs/${encodeURIComponent(id)}`),
    /**
     * What a run was given, as far as the server still has it.
     * @param {string} id
     */
    sources: async (id) => (await json(`v1/runs/${encodeURIComponent(id)}/sources`)).items,
    /** @param {string} id */
    cancel: (id) => json(`v1/runs/${encodeURIComponent(id)}/cancel`, { method: "POST" }),
    /**
     * @param {Record<string, any>} input
     * @param {File[]} files
     */
    createRun: (input, files) => json(`${MODEL}/runs`, { method: "POST", ...body(input, files) }),
    /**
     * @param {Record<string, any>} input
     * @param {File[]} files
     * @param {AbortSignal} signal
     */
    makePlans: (input, files, signal) => {
      const sent = body(input, files);
      const headers = { ...sent.headers, Prefer: "wait=60" };
      return json(`${MODEL}/plans`, { method: "POST", ...sent, headers, signal });
    },
    /** @param {string} id @param {AbortSignal} signal */
    plans: (id, signal) => json(`v1/plans/${encodeURIComponent(id)}`, { signal }),
    /**
     * What happens to a run, until its end or until the server closes the stream.
     * @param {string} id
     * @param {AbortSignal} signal
     */
    async *follow(id, signal) {
      const headers = { Accept: "text/event-stream" };
      const path = `v1/runs/${encodeURIComponent(id)}/events`;
      const response = await ask(path, { headers, signal });
      yield* readEvents(/** @type {ReadableStream<Uint8Array>} */ (response.body));
    },
    /**
     * A picture that a run made, or was given.
     * @param {string} url
     */
    picture: async (url) => (await ask(here(url))).blob(),
  };
}

/**
 * A signed link as an address of this very server, whatever name it goes by elsewhere.
 * @param {string} url
 */
export function here(url) {
  const start = url.indexOf("/files/");
  return start < 0 ? url : url.slice(start + 1);
}

/**
 * @param {Record<string, any>} input
 * @param {File[]} files
 * @returns {{headers?: Record<string, string>, body: BodyInit}}
 */
function body(input, files) {
  if (!files.length) {
    const headers = { "Content-Type": "application/json" };
    return { headers, body: JSON.stringify({ input }) };
  }
  const form = new FormData();
  for (const file of files) form.append("image", file, file.name);
  form.append("input", JSON.stringify(input));
  return { body: form };
}

/** @param {Response} response */
async function readError(response) {
  const wait = Number(response.headers.get("Retry-After")) || null;
  try {
    const told = await response.json();
    return new ApiError(response.status, String(told.code), String(told.message), wait);
  } catch {
    const words = `The server answered ${response.status} without saying why.`;
    return new ApiError(response.status, `HTTP_${response.status}`, words, wait);
  }
}
