// The sheet: products down, variants x outputs across. It is drawn some rows at a time, so that ten
// thousand products open as fast as ten.
const ROWS_AT_ONCE = 12;

// ---- what is shown -------------------------------------------------------------------------
const chosen = { variant: new Set(), locale: new Set(), output: new Set(), state: new Set() };
const cellStates = (cell) => {
  const states = [];
  if (data.shots[cell[SHOT]][FAILURE]) states.push(data.shots[cell[SHOT]][FAILURE][0] === "parked" ? "parked" : "failed");
  if (cell[FILES].some((file) => data.files[file][STALE])) states.push("stale");
  return states;
};
let haystacks = null;
const haystack = (number) => {
  haystacks ??= new Array(data.cells.length);
  return (haystacks[number] ??= (() => {
    const cell = data.cells[number], file = data.files[cell[FILES][0]] ?? [];
    const words = [...data.products[cell[PRODUCT]], ...data.columns[cell[COLUMN]].slice(0, 3), data.shots[cell[SHOT]][SHOT_ID]];
    words.push(text(file[TAGS]), text(file[CHANNEL]), text(file[RATIO]), ...cellStates(cell));
    return words.join(" ").toLowerCase();
  })());
};
const isColumnChosen = (column) =>
  (!chosen.variant.size || chosen.variant.has(column[VARIANT])) &&
  (!chosen.locale.size || chosen.locale.has(column[LOCALE])) &&
  (!chosen.output.size || chosen.output.has(column[NAME]));

let visible = []; // numbers of cells, in the order of the sheet
let rows = []; // [product, its visible cells]
let columns = new Map(); // column -> place in the grid
let drawn = 0;

const select = () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const open = data.columns.map(isColumnChosen);
  const found = new Map();
  data.cells.forEach((cell, number) => {
    if (!open[cell[COLUMN]]) return;
    if (chosen.state.size && !cellStates(cell).some((state) => chosen.state.has(state))) return;
    if (words.length && !words.every((word) => haystack(number).includes(word))) return;
    if (!found.has(cell[PRODUCT])) found.set(cell[PRODUCT], []);
    found.get(cell[PRODUCT]).push(number);
  });
  rows = [...found];
  visible = rows.flatMap(([, numbers]) => numbers.sort((a, b) => data.cells[a][COLUMN] - data.cells[b][COLUMN]));
  const used = new Set(visible.map((number) => data.cells[number][COLUMN]));
  columns = new Map([...used].sort((a, b) => a - b).map((column, index) => [column, index]));
  const many = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
  byId("count").textContent = `${many(rows.length, "product")}, ${many(visible.length, "picture")}`;
};

// ---- the sheet -----------------------------------------------------------------------------
let size = 1;
const [GAP, HEAD, SIDES] = [12, 232, 24]; // as in page.css
const [LEAST, USUAL, MOST, SHARP] = [112, 188, 300, 400]; // thumbnails are not much larger
const bounded = (shape) => Math.min(Math.max(shape, 0.5), 2);
const measure = () => {
  const shapes = [...columns.keys()].map((column) => bounded(data.columns[column][SHAPE]));
  const wide = shapes.reduce((sum, shape) => sum + shape, 0.01), gaps = GAP * Math.max(shapes.length - 1, 0);
  const fit = (free, least, most) => Math.min(Math.max((free - gaps) / wide, least), most);
  // where pictures leave half of the page white, products stand side by side, each under its name
  const beside = Math.floor(sheet.clientWidth / (USUAL * size * wide + gaps + 2 * SIDES));
  const across = narrow.matches ? 1 : Math.min(beside, rows.length);
  sheet.classList.toggle("tiled", across > 1);
  sheet.classList.toggle("captioned", columns.size > 1);
  sheet.style.setProperty("--across", String(across));
  if (narrow.matches) return sheet.style.setProperty("--tall", `${Math.round(fit(sheet.clientWidth - 32, 190, MOST))}px`);
  const tall = across > 1
    ? fit(sheet.clientWidth / across - 2 * SIDES - 1, LEAST, MOST * size)
    : fit(sheet.clientWidth - HEAD - SIDES - GAP, LEAST, beside ? MOST : USUAL) * size;
  sheet.style.setProperty("--tall", `${Math.floor(Math.min(tall, SHARP))}px`);
  sheet.style.setProperty("--columns", shapes.map((shape) => `${Math.round(Math.max(tall * shape, 64))}px`).join(" "));
};

const drawCell = (number) => {
  const cell = data.cells[number], column = data.columns[cell[COLUMN]], file = data.files[cell[FILES][0]];
  const failure = data.shots[cell[SHOT]][FAILURE];
  const label = `${data.products[cell[PRODUCT]][KEY]} ${axes(column)}`.trim();
  const flags = make("span", { class: "flags" });
  const blank = (words, title) => {
    const box = make("span", { class: "blank", title }, title ? make("b", {}, title) : null, words);
    box.style.aspectRatio = String(column[SHAPE]);
    return box;
  };
  const link = make("a", { class: "cell", "data-cell": number, href: file ? href(file[PATH]) : "#", "aria-label": label });
  if (!file) {
    link.classList.add("failed");
    link.setAttribute("aria-label", `${label}: ${failure[0]}: ${failure[1]}`);
    link.append(blank(failure[1], failure[0] === "parked" ? "Parked" : "Failed"));
  } else {
    const source = small(file[SHA]);
    if (source) {
      const image = make("img", { alt: text(file[ALT]) || label, width: file[WIDTH], height: file[HEIGHT], loading: "lazy", decoding: "async" });
      image.addEventListener("error", () => image.replaceWith(blank("preview not found")), { once: true });
      image.src = source;
      link.append(image);
    } else link.append(blank("no preview"));
    if (failure) flags.append(make("i", { class: "failed", title: `${failure[0]}: ${failure[1]}` }, failure[0] === "parked" ? "parked" : "failed"));
    if (file[STALE]) flags.append(make("i", { class: "stale", title: "its prompt, references or settings have changed since" }, "stale"));
    if (cell[FILES].length > 1) flags.append(make("i", {}, `${cell[FILES].length} files`));
    if (flags.childElementCount) link.append(flags);
  }
  link.append(make("span", { class: "caption", "aria-hidden": "true" }, axes(column)));
  link.style.gridColumn = String(columns.get(cell[COLUMN]) + 2);
  link.style.setProperty("--shape", String(bounded(column[SHAPE])));
  return link;
};

const drawRow = ([product, numbers]) => {
  const [key, title] = data.products[product];
  const name = make("div", {}, make("h2", { dir: "auto" }, key), title && title !== key ? make("p", { dir: "auto", title }, title) : null);
  return make("section", { class: "row", "aria-label": [key, title].filter(Boolean).join(" ") }, make("div", { class: "name" }, name), make("div", { class: "cells" }, ...numbers.map(drawCell)));
};

const more = make("div", { class: "more", "aria-hidden": "true" });
const drawMore = () => {
  if (drawn >= rows.length) return;
  const until = Math.min(rows.length, drawn + ROWS_AT_ONCE);
  more.before(...rows.slice(drawn, until).map(drawRow));
  drawn = until;
};
const keepUp = () => {
  for (let turn = 0; turn < 3 && drawn < rows.length && more.getBoundingClientRect().top < innerHeight + 1500; turn += 1) drawMore();
};
let isDue = false;
const onScroll = () => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; keepUp(); });
};

const draw = () => {
  select();
  measure();
  const head = make("div", { class: "columns", "aria-hidden": "true" }, make("div", { class: "corner" }, "Product"));
  let group = null, groupName = null;
  for (const [column, place] of columns) {
    const [variant, locale, name] = data.columns[column];
    const of = [variant, locale].filter(Boolean).join(" · ");
    if (of && of !== groupName) {
      group = make("small", { dir: "auto" }, of);
      group.style.gridColumnStart = String(place + 2);
      head.append(group);
    }
    if (of && group) group.style.gridColumnEnd = String(place + 3);
    groupName = of;
    const title = make("b", { dir: "auto" }, name);
    title.style.gridColumn = String(place + 2);
    head.append(title);
  }
  drawn = 0;
  sheet.replaceChildren(head, more);
  sheet.scrollTop = 0;
  if (!rows.length) sheet.replaceChildren(make("p", { class: "empty" }, data.cells.length ? "No picture matches this filter." : "There are no pictures here yet."));
  drawMore();
  keepUp();
};

const drawChips = () => {
  const states = new Set(data.cells.flatMap(cellStates));
  const groups = [
    ["variant", "Variant", new Set(data.columns.map((column) => column[VARIANT]))],
    ["locale", "Locale", new Set(data.columns.map((column) => column[LOCALE]))],
    ["output", "Output", new Set(data.columns.map((column) => column[NAME]))],
    ["state", "State", states],
  ];
  for (const [axis, label, values] of groups) {
    if (values.size < (axis === "state" ? 1 : 2)) continue;
    const group = make("div", { role: "group", "aria-label": label }, make("span", {}, label));
    for (const value of values) {
      const chip = make("button", { type: "button", "aria-pressed": "false", dir: "auto" }, value || "none");
      chip.addEventListener("click", () => {
        const isOn = !chosen[axis].delete(value) && Boolean(chosen[axis].add(value));
        chip.setAttribute("aria-pressed", String(isOn));
        draw();
      });
      group.append(chip);
    }
    byId("chips").append(group);
  }
};

let waiting = 0;
filter.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(draw, 80); });
for (const button of document.querySelectorAll("[data-size]")) {
  button.addEventListener("click", () => {
    size = Number(button.dataset.size);
    for (const other of document.querySelectorAll("[data-size]")) other.setAttribute("aria-pressed", String(other === button));
    measure();
    onScroll();
  });
}
addEventListener("resize", () => { measure(); onScroll(); });
addEventListener("scroll", onScroll, { passive: true }); // on a phone the page scrolls, else the sheet
sheet.addEventListener("scroll", onScroll, { passive: true });
