// Sends letters with nodemailer by a pool of eight connections: node _nodemailer.mjs URL NUMBER STORY.
// Says that it is ready, and begins at a line on standard input.

import { once } from "node:events";
import { createTransport } from "nodemailer";

const [url, number, story] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const pool = createTransport({
  host: hostname,
  port: Number(port),
  ignoreTLS: true,
  pool: true,
  maxConnections: 8,
  maxMessages: Infinity,
});
console.log("ready");
await once(process.stdin, "data");
const paragraphs = story.split("\n\n").map((line) => `<p style="margin:0 0 1em">${line}</p>`);
const letters = Array.from({ length: Number(number) }, (_, n) =>
  pool.sendMail({
    from: "Huiyin <updates@example.org>",
    to: `Ada <donor-${n}@example.org>`,
    subject: "Desks",
    text: `Dear Ada,\n\n${story}\nhttps://example.org/unsubscribe/${n}`,
    html: `<h1>Dear Ada,</h1>${paragraphs.join("").repeat(3)}<a href="https://example.org/unsubscribe/${n}">x</a>`,
    headers: { "List-Unsubscribe": `<https://example.org/unsubscribe/${n}>` },
  }),
);
await Promise.all(letters);
pool.close();
process.exit(0);
