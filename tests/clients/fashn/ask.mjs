// Asks FASHN's own client for one thing, given as JSON on stdin, and prints what became of it.

import { text } from "node:stream/consumers";
import Fashn from "fashn";

const { baseURL, apiKey, maxRetries, act, params } = JSON.parse(await text(process.stdin));
const seen = { requests: 0, enqueued: [], updates: [] };

const client = new Fashn({
  baseURL,
  apiKey,
  maxRetries,
  fetch: (...call) => {
    seen.requests += 1;
    return fetch(...call);
  },
});

const acts = {
  run: () => client.predictions.run(params),
  status: () => client.predictions.status(params),
  credits: () => client.get("/v1/credits"),
  subscribe: () =>
    client.predictions.subscribe({
      ...params,
      onEnqueued: (id) => seen.enqueued.push(id),
      onQueueUpdate: (update) => seen.updates.push(update.status),
    }),
};

try {
  seen.result = await acts[act]();
} catch (error) {
  seen.error = { class: error.constructor.name, status: error.status, body: error.error };
}
console.log(JSON.stringify(seen));
