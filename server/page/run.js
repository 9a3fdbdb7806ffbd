// @ts-check
/** Sends the runs of a submission and follows each of them to its end. */

import { ApiError } from "./api.js";

const FINAL = ["succeeded", "failed", "canceled"];
const PATIENCE = 1000;

/**
 * @typedef {object} Part one run of a submission
 * @property {number} number
 * @property {any} request
 * @property {string | null} id
 * @property {any} record the run as the server tells it; null before
 * @property {string} status
 * @property {number | null} position
 * @property {string | null} step
 * @property {number} percent
 * @property {{code: string, message: string} | null} error
 */

/** @param {any} submission */
export function isOver(submission) {
  return submission.parts.every((/** @type {Part} */ part) => FINAL.includes(part.status));
}

/**
 * @param {any} store
 * @param {any} api
 */
export function createRunner(store, api) {
  /**
   * @param {string} submission
   * @param {number} number
   * @param {Partial<Part>} change
   */
  function tell(submission, number, change) {
    const current = store.get().submission;
    if (current?.id !== submission) return;
    const parts = current.parts.map((/** @type {Part} */ part) =>
      part.number === number ? { ...part, ...change } : part,
    );
    store.set({ submission: { ...current, parts } });
  }

  /**
   * @param {any} submission
   * @param {Part} part
   */
  async function carryOut(submission, part) {
    const hear = (/** @type {Partial<Part>} */ change) => tell(submission.id, part.number, change);
    try {
      const files = part.request.files.map((/** @type {string} */ id) => submission.files.get(id));
      const record = await api.createRun(part.request.input, files);
      hear(read(record));
      const now = store.get().submission;
      if (now?.id === submission.id && now.cancelled) await api.cancel(record.id);
      await follow(record.id, submission.control.signal, hear);
    } catch (error) {
      if (!submission.control.signal.aborted) hear({ status: "failed", error: words(error) });
    }
  }

  /**
   * @param {string} id
   * @param {AbortSignal} signal
   * @param {(change: Partial<Part>) => void} hear
   */
  async function follow(id, signal, hear) {
    for (;;) {
      try {
        for await (const { event, data } of api.follow(id, signal)) {
          if (event === "end") return hear(read(data));
          if (event === "progress" && !FINAL.includes(data.status_code)) hear(progress(data));
        }
      } catch (error) {
        if (signal.aborted || (error instanceof ApiError && error.status !== 0)) throw error;
      }
      // the stream was cut: the run goes on without it
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
      const record = await api.run(id).catch((/** @type {any} */ error) => {
        if (error.status !== 0) throw error;
      });
      if (record) hear(read(record));
      if (record && FINAL.includes(record.status_code)) return;
    }
  }

  return {
    /**
     * @param {any[]} requests
     * @param {Map<string, File>} files
     * @param {any} shown what the results are shown with
     */
    async start(requests, files, shown) {
      const id = `submission-${Date.now()}`;
      const control = new AbortController();
      const parts = requests.map((request, number) => ({ number, request, ...NOTHING }));
      const submission = { id, parts, files, control, cancelled: false, ...shown };
      store.get().submission?.control?.abort();
      store.set({ submission, view: "results" });
      await Promise.all(parts.map((part) => carryOut(submission, part)));
    },
    async cancel() {
      const submission = store.get().submission;
      if (!submission) return;
      store.set({ submission: { ...submission, cancelled: true } });
      const ids = submission.parts.flatMap((/** @type {Part} */ part) =>
        part.id && !FINAL.includes(part.status) ? [part.id] : [],
      );
      await Promise.all(ids.map(api.cancel));
    },
    /** A run of before, as the server has it. @param {any} record */
    reopen(record) {
      store.get().submission?.control?.abort();
      const control = new AbortController();
      const id = `submission-${record.id}`;
      const part = { number: 0, request: null, ...NOTHING, ...read(record) };
      const submission = { id, parts: [part], control, cancelled: false, sources: new Map() };
      store.set({ submission, view: "results" });
      if (FINAL.includes(record.status_code)) return;
      follow(record.id, control.signal, (change) => tell(id, 0, change)).catch((error) => {
        if (!control.signal.aborted) tell(id, 0, { status: "failed", error: words(error) });
      });
    },
  };
}

const NOTHING = Object.freeze({
  id: null,
  record: null,
  status: "sending",
  position: null,
  step: null,
  percent: 0,
  error: null,
});

/** @param {any} record @returns {Partial<Part>} */
function read(record) {
  const failed = record.status_code === "failed";
  const error = { code: record.failure_code, message: record.failure_message };
  return {
    id: record.id,
    record,
    status: record.status_code,
    position: record.queue_position,
    step: record.progress?.step ?? null,
    percent: record.status_code === "succeeded" ? 100 : (record.progress?.fraction ?? 0) * 100,
    error: failed ? error : null,
  };
}

/** @param {any} data @returns {Partial<Part>} */
function progress(data) {
  const { status_code: status, queue_position: position, step, percent } = data;
  return { status, position, step, percent };
}

/** @param {any} error */
function words(error) {
  if (!(error instanceof ApiError)) return { code: "PAGE_ERROR", message: String(error) };
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  return { code: error.code, message: error.message + wait };
}
