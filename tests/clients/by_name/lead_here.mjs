// Stands for the network's DNS: Node imports it first, and the hosted services' names lead here.

import tls from "node:tls";

const names = new Set(process.env.HOSTED_NAMES.split(" "));
const port = Number(process.env.HOSTED_PORT);
const connect = tls.connect;

tls.connect = (options, ...rest) => {
  if (!names.has(options.servername)) throw new Error(`not a hosted name: ${options.servername}`);
  return connect({ ...options, host: "127.0.0.1", port }, ...rest);
};
