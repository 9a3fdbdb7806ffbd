// A program for the hosted services, which knows of no others: each of them once, as they want it.
// Prints the addresses of what was made, and how many bytes each picture has.

import { fal } from "@fal-ai/client";
import Fashn from "fashn";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const KEY = process.env.FAL_KEY;
const bytes = readFileSync("photo.png");
const inline = `data:image/png;base64,${bytes.toString("base64")}`;
const ENDED = ["COMPLETED", "FAILED", "ERROR", "succeeded", "failed", "canceled"];

async function call(url, headers, body) {
  const method = body ? "POST" : "GET";
  const json = { "Content-Type": "application/json", ...headers };
  const answer = await fetch(url, { method, headers: json, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function poll(look, status) {
  for (;;) {
    const seen = await look();
    if (ENDED.includes(seen[status])) return seen;
    await pause(100);
  }
}

async function askFal() {
  const file = new File([bytes], "photo.png", { type: "image/png" });
  const url = await fal.storage.upload(file);
  const first = await fal.subscribe("fal-ai/smart-resize", {
    input: { image_url: url, target_sizes: ["96x96"] },
    mode: "streaming",
  });
  const made = first.data.images[0].url;
  const second = await fal.run("fal-ai/smart-resize", {
    input: { image_url: made, target_sizes: ["48x96"] },
  });
  return [url, made, second.data.images[0].url];
}

async function askFashn() {
  const client = new Fashn();
  const ended = await client.predictions.subscribe({
    model_name: "reframe",
    inputs: { image: inline, aspect_ratio: "1:1" },
  });
  return ended.output;
}

async function askPixazo() {
  const headers = { "Ocp-Apim-Subscription-Key": KEY };
  const base = "https://gateway.pixazo.ai/smart-resize/v1";
  const asked = { image_url: inline, target_sizes: ["64x64"] };
  const accepted = await call(`${base}/smart-resize-request`, headers, asked);
  const ended = await poll(() => call(accepted.polling_url, headers), "status");
  return ended.output.media_url;
}

async function askRunflow() {
  const headers = { Authorization: `Bearer ${KEY}` };
  const base = "https://api.runflow.io/v1";
  const input = { image_url: inline, aspect_ratio: "4:3", resolution: "1K" };
  const run = await call(`${base}/models/runflow/smart-resize/runs`, headers, { input });
  const ended = await poll(() => call(`${base}/runs/${run.id}`, headers), "status_code");
  return ended.output.outputs.map((output) => output.url);
}

const made = [];
for (const ask of [askFal, askFashn, askPixazo, askRunflow]) made.push(...(await ask()));
const lengths = await Promise.all(
  made.map(async (url) => (await (await fetch(url)).arrayBuffer()).byteLength),
);
console.log(JSON.stringify(made.map((url, number) => [url, lengths[number]])));
