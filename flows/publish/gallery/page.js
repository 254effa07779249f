"use strict";
// What the page knows: the JSON island, and how its rows are read and written out. Text from
// outside is only ever set as text, and addresses are built from encoded parts.

const data = JSON.parse(document.getElementById("data").textContent);
const [SHOT_ID, FAILURE] = [0, 1];
const [KEY, TITLE] = [0, 1];
const [VARIANT, LOCALE, NAME, SHAPE] = [0, 1, 2, 3];
const [PRODUCT, COLUMN, SHOT, FILES] = [0, 1, 2, 3];
const [PATH, FORMAT, BYTES, WIDTH, HEIGHT, TAKE, TAKE_ROW, PROMPT, ALT, TAGS, STALE, SHA, NOTES, CHANNEL, RATIO] =
  Array.from({ length: 15 }, (_, index) => index);

const byId = (id) => document.getElementById(id);
const sheet = byId("sheet"), view = byId("view"), filter = byId("filter");
const text = (number) => data.strings[number] ?? "";
const encoded = (part) => encodeURIComponent(part.replace(/[\ud800-\udfff]/gu, "\ufffd"));
const href = (path) => path.split("/").map(encoded).join("/");
const small = (sha) => (data.pictures[sha] === 1 ? `gallery/${sha}.webp` : data.pictures[sha]);
const axes = (column) => column.slice(0, 3).filter(Boolean).join(" · ");
const narrow = matchMedia("(max-width: 760px)");

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};
const amount = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3)).toLocaleString("en")} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
const dollars = (usd) => (usd === null ? "not known" : `$${usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 })}`);
