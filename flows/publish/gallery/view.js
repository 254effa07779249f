// The large view: one picture with its prompt, references, files and take, addressed by #shot.

let shown = -1; // number of the cell
let isOurs = false; // whether the address was moved by this page, so that Back closes the view

const copyButton = (words) => {
  const button = make("button", { type: "button", class: "quiet" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      const area = make("textarea", { class: "unseen" });
      area.value = words;
      view.append(area);
      area.select();
      document.execCommand("copy"); // the way that is left where a page from disk has no clipboard
      area.remove();
      button.focus();
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
};

const showFile = (number) => {
  const file = data.files[number], image = byId("view-image"), link = byId("view-link");
  for (const row of view.querySelectorAll(".file")) row.setAttribute("aria-current", String(Number(row.dataset.file) === number));
  image.hidden = !file;
  link.toggleAttribute("href", false);
  link.querySelector(".blank")?.remove();
  if (!file) return void link.append(make("span", { class: "blank" }, "This picture was not made."));
  link.href = href(file[PATH]);
  image.onerror = () => { if (small(file[SHA]) && image.src !== small(file[SHA])) image.src = small(file[SHA]); };
  image.removeAttribute("src");
  [image.width, image.height, image.alt] = [file[WIDTH], file[HEIGHT], text(file[ALT])];
  image.src = link.href;
};

const facts = (pairs) => {
  const list = make("dl", { class: "facts" });
  for (const [label, value] of pairs) {
    if (value !== null && value !== undefined && value !== "") list.append(make("dt", {}, label), make("dd", { dir: "auto" }, String(value)));
  }
  return list;
};

const describe = (cell) => {
  const [shotId, failure] = data.shots[cell[SHOT]], first = data.files[cell[FILES][0]];
  const take = first ? data.takes[first[TAKE_ROW]] : null;
  const parts = [];
  const realm = document.querySelector(".badge");
  if (!realm.classList.contains("live")) parts.push(make("p", { class: `note ${realm.className.replace("badge ", "")}` }, realm.title.replace(/^./, (first) => first.toUpperCase())));
  if (failure) parts.push(make("p", { class: "note failed" }, `${failure[0]}${failure[2] ? ` at ${failure[2]}` : ""}: ${failure[1]}${failure[3] ? " (billed)" : ""}`));
  if (first?.[STALE]) parts.push(make("p", { class: "note stale" }, "Stale: its prompt, references or settings have changed since it was made."));
  if (first && text(first[PROMPT])) {
    parts.push(make("h3", {}, "Prompt", copyButton(text(first[PROMPT]))), make("p", { class: "prompt", dir: "auto" }, text(first[PROMPT])));
  }
  const ofShot = data.cells.filter((other) => other[SHOT] === cell[SHOT]).flatMap((other) => other[FILES].map((file) => [file, data.columns[other[COLUMN]][NAME]]));
  if (ofShot.length) parts.push(make("h3", {}, ofShot.length === 1 ? "Rendition" : `${ofShot.length} renditions`));
  const takes = new Set(ofShot.map(([number]) => data.files[number][TAKE])).size;
  for (const [number, name] of ofShot) {
    const file = data.files[number];
    const show = make("button", { type: "button" }, [name, file[FORMAT], takes > 1 ? `take ${file[TAKE]}` : ""].filter(Boolean).join(" · "));
    show.addEventListener("click", () => showFile(number));
    const details = [`${file[WIDTH]} × ${file[HEIGHT]}`, amount(file[BYTES]), text(file[CHANNEL]) === name ? "" : text(file[CHANNEL]), text(file[NOTES])];
    parts.push(make("div", { class: "file", "data-file": number }, show, make("small", {}, details.filter(Boolean).join(" · ")),
      make("a", { href: href(file[PATH]), download: file[PATH].split("/").pop() }, "Download")));
  }
  if (first) parts.push(make("h3", {}, "Words"), facts([["Alt text", text(first[ALT])], ["Tags", text(first[TAGS])]]));
  if (take) {
    const [provider, model, seed, cost, costFrom, sha, width, height, created, task] = take;
    parts.push(make("h3", {}, "Take"), facts([["Provider", provider], ["Model", model], ["Seed", seed], ["Cost", cost === null && provider === "proof" ? "free" : dollars(cost) + (costFrom ? ` (by ${costFrom})` : "")],
      ["Pixels", `${width} × ${height}`], ["Made", created.slice(0, 16).replace("T", " ")], ["Task", task], ["sha256", `${sha}…`], ["Shot", shotId]]));
  }
  return [parts, take ? take[10] : []];
};

const show = (number) => {
  shown = number;
  const cell = data.cells[number], column = data.columns[cell[COLUMN]], [key, title] = data.products[cell[PRODUCT]];
  byId("view-title").textContent = title || key;
  byId("view-where").textContent = [title ? key : "", axes(column)].filter(Boolean).join(" · ");
  const [parts, references] = describe(cell);
  byId("view-facts").replaceChildren(...parts);
  byId("view-references").replaceChildren(...references.map(([role, from, sha]) => {
    const source = small(sha);
    const picture = source ? make("img", { src: source, alt: `Reference: ${role}` }) : make("span", { class: "blank" }, "no preview");
    return make("figure", {}, picture, make("figcaption", { title: from }, make("b", {}, role), ` ${from.split("/").pop()}`));
  }));
  showFile(cell[FILES][0]);
  const place = visible.indexOf(number);
  byId("previous").disabled = place <= 0;
  byId("next").disabled = place < 0 || place === visible.length - 1;
  if (!view.open) view.showModal();
  view.scrollTop = view.querySelector(".panel").scrollTop = 0;
};

const address = (number) => {
  const cell = data.cells[number], others = data.cells.filter((other) => other[SHOT] === cell[SHOT]);
  const id = encoded(data.shots[cell[SHOT]][SHOT_ID]).replaceAll("%2F", "/");
  return `#${id}${others.indexOf(cell) > 0 ? `?${others.indexOf(cell)}` : ""}`;
};
const addressed = () => {
  const [id, which] = location.hash.slice(1).split("?");
  let wanted = "";
  try { wanted = decodeURIComponent(id); } catch { return -1; } // not an address of ours
  const shot = wanted ? data.shots.findIndex((row) => row[SHOT_ID] === wanted) : -1;
  if (shot < 0) return -1;
  const cells = data.cells.map((cell, number) => (cell[SHOT] === shot ? number : -1)).filter((number) => number >= 0);
  return cells[Number(which) || 0] ?? cells[0] ?? -1;
};
const open = (number) => {
  history.pushState(null, "", address(number));
  isOurs = true;
  show(number);
};
const step = (by) => {
  const next = visible[visible.indexOf(shown) + by];
  if (shown < 0 || visible.indexOf(shown) < 0 || next === undefined) return;
  history.replaceState(null, "", address(next));
  show(next);
};
const follow = () => {
  const number = addressed();
  if (number >= 0) show(number);
  else if (view.open) { isOurs = false; view.close(); }
};

sheet.addEventListener("click", (event) => {
  const cell = event.target.closest(".cell");
  if (!cell || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(Number(cell.dataset.cell));
});
view.addEventListener("close", () => {
  const last = sheet.querySelector(`[data-cell="${shown}"]`);
  shown = -1;
  byId("view-image").removeAttribute("src");
  if (isOurs) history.back();
  else if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  isOurs = false;
  last?.focus();
});
view.addEventListener("click", (event) => { if (event.target === view) view.close(); });
byId("close").addEventListener("click", () => view.close());
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
addEventListener("popstate", follow);
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (view.open && event.key === "ArrowLeft") step(-1);
  else if (view.open && event.key === "ArrowRight") step(1);
  else if (!view.open && event.key === "/" && document.activeElement !== filter) { event.preventDefault(); filter.focus(); }
});

byId("tools").hidden = false;
drawChips();
draw();
follow();
