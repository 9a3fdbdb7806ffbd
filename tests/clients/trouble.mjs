// The npm clients in trouble: does what stdin says, and says how it ended.
// {"base", "secret", "client", "wish"} by the service's own client, each tried as often as it likes.

import { createFalClient } from "@fal-ai/client";
import Fashn from "fashn";
import { readFileSync } from "node:fs";

const { base, secret, client, huge, wish, patient } = JSON.parse(readFileSync(0, "utf8"));
const picture = `data:image/png;base64,${"A".repeat(huge)}`;

function askFal() {
  const fal = createFalClient({
    credentials: secret,
    proxyUrl: { url: `${base}/api/fal/proxy`, when: "always" },
    ...(patient ? {} : { retry: { maxRetries: 0 } }),
  });
  if (wish === null) return fal.queue.result("fal-ai/smart-resize", { requestId: "nothing" });
  const input = { target_sizes: ["64x64"], ...wish, ...(huge ? { image_url: picture } : {}) };
  return fal.queue.submit("fal-ai/smart-resize", { input });
}

function askFashn() {
  const fashn = new Fashn({ baseURL: base, apiKey: secret, ...(patient ? {} : { maxRetries: 0 }) });
  if (wish === null) return fashn.predictions.status("nothing");
  const inputs = { aspect_ratio: "1:1", ...wish, ...(huge ? { image: picture } : {}) };
  return fashn.predictions.run({ model_name: "reframe", inputs });
}

try {
  await (client === "fal" ? askFal() : askFashn());
  console.log(JSON.stringify({ error: null, status: 200 }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name, status: error.status }));
}
