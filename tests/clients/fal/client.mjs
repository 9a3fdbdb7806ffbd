// fal's JavaScript client as it is published: does what stdin says, and says what came of it.
// {"secret", "proxy" | "port", "act", "wish", ...}: by the proxy, or by fal's own names led here.

import { ApiError, ValidationError, createFalClient } from "@fal-ai/client";
import { readFileSync } from "node:fs";
import tls from "node:tls";

const MODEL = "fal-ai/smart-resize";
const NAMES = new Set(["fal.run", "queue.fal.run", "rest.fal.ai", "v3.fal.media"]);
const asked = JSON.parse(readFileSync(0, "utf8"));

// What DNS would do, and the port that a test cannot choose.
function leadHere(port) {
  const connect = tls.connect;
  tls.connect = (options, ...rest) => {
    if (!NAMES.has(options.servername)) throw new Error(`not fal's: ${options.servername}`);
    return connect({ ...options, host: "127.0.0.1", port }, ...rest);
  };
}

function makeClient() {
  const common = { credentials: asked.secret, retry: { maxRetries: 0 } };
  if (asked.port) {
    leadHere(asked.port);
    return createFalClient(common);
  }
  return createFalClient({ ...common, proxyUrl: { url: asked.proxy, when: "always" } });
}

function decode(picture, type = "image/png") {
  return new File([Buffer.from(picture, "base64")], "cat.png", { type });
}

// Says that it is large enough for parts, and gives each part its share of what it has.
class Pretender extends File {
  get size() {
    return 95 * 1024 * 1024;
  }

  slice(start, end) {
    const share = Math.ceil(super.size / 10);
    const part = Math.round(start / (10 * 1024 * 1024));
    return super.slice(part * share, (part + 1) * share);
  }
}

const fal = makeClient();

const acts = {
  run: async () => fal.run(MODEL, { input: asked.wish, startTimeout: asked.startTimeout }),

  subscribe: async () => {
    const heard = [];
    const enqueued = [];
    const result = await fal.subscribe(MODEL, {
      input: asked.wish,
      logs: true,
      pollInterval: 50,
      mode: asked.mode,
      onEnqueue: (id) => enqueued.push(id),
      onQueueUpdate: (update) => {
        heard.push(update.status);
        if (update.status !== "IN_QUEUE") update.logs.map((log) => log.message);
      },
    });
    const last = await fal.queue.status(MODEL, { requestId: result.requestId, logs: true });
    return { result, heard, enqueued, last };
  },

  stream: async () => {
    const { request_id: requestId } = await fal.queue.submit(MODEL, { input: asked.wish });
    const updates = [];
    const last = await fal.queue.subscribeToStatus(MODEL, {
      requestId,
      logs: true,
      mode: "streaming",
      onQueueUpdate: (update) => updates.push(update),
    });
    return { last, logs: updates.at(-1).logs.map((log) => log.message) };
  },

  submit: async () => fal.queue.submit(MODEL, { input: asked.wish, webhookUrl: asked.hook }),

  result: async () => fal.queue.result(MODEL, { requestId: asked.requestId }),

  cancel: async () => {
    const submitted = await fal.queue.submit(MODEL, { input: asked.wish, priority: "low" });
    const requestId = submitted.request_id;
    const before = await fal.queue.status(MODEL, { requestId });
    await fal.queue.cancel(MODEL, { requestId });
    const after = await fal.queue.status(MODEL, { requestId, logs: true });
    const error = await fal.queue.result(MODEL, { requestId }).catch(tell);
    return { before, after, error };
  },

  upload: async () => ({ url: await fal.storage.upload(decode(asked.picture)) }),

  uploadParts: async () => {
    const bytes = Buffer.from(asked.picture, "base64");
    return { url: await fal.storage.upload(new Pretender([bytes], "cat.png", { type: "image/png" })) };
  },

  bring: async () =>
    fal.subscribe(MODEL, {
      input: { ...asked.wish, image_url: decode(asked.picture) },
      pollInterval: 50,
    }),
};

function tell(error) {
  if (!(error instanceof ApiError)) throw error;
  return {
    error: error.name,
    isValidation: error instanceof ValidationError,
    isUserTimeout: error.isUserTimeout,
    status: error.status,
    body: error.body,
    requestId: error.requestId,
    fields: error instanceof ValidationError ? error.fieldErrors : null,
  };
}

const told = await acts[asked.act]().catch(tell);
console.log(JSON.stringify(told));
