// What staff's pages do a little better with JavaScript, beside site.js.

// A file that is too large is told of before it travels.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset?.largest) return;
  const large = [...target.files].some((file) => file.size > target.dataset.largest);
  target.setCustomValidity(large ? target.dataset.tooLarge : "");
  target.reportValidity();
});

// Where many figures are written one below the other, Enter goes to the next; behind the last it sends.
document.addEventListener("keydown", (event) => {
  const form = event.target.form;
  if (event.key !== "Enter" || event.isComposing || form?.dataset.enterNext === undefined) return;
  const kind = event.target.name?.split("-")[0];
  const alike = [...form.elements].filter((it) => it.name?.startsWith(`${kind}-`));
  const next = alike[alike.indexOf(event.target) + 1];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.select();
});

// A form that is counted as it is filled in: what it means stands beside it after each change.
const counting = document.querySelector("form[data-counts]");
if (counting) {
  let waiting, asked;
  counting.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(count, 350);
  });
  async function count() {
    asked?.abort();
    asked = new AbortController();
    const into = document.getElementById(counting.dataset.into);
    const question = { method: "POST", body: new FormData(counting), signal: asked.signal };
    const answer = await fetch(counting.dataset.counts, question).catch(() => null);
    if (!answer || (!answer.ok && answer.status !== 400)) return;
    const open = into.querySelector("details[open]");
    into.innerHTML = await answer.text();
    if (open) into.querySelector("details")?.setAttribute("open", "");
  }
}

// What is being written shows beside it as it will look, a moment after each pause.
for (const seen of document.querySelectorAll("[data-shows]")) {
  const source = document.getElementById(seen.dataset.shows);
  let waiting, asked = 0;
  const look = async () => {
    const turn = ++asked;
    const form = new FormData();
    form.set("csrf_token", source.form.elements.csrf_token.value);
    form.set("locale", seen.dataset.locale);
    const { kind, campaign } = source.form.elements;
    const about = kind && kind.value !== "update" ? "" : campaign?.value || seen.dataset.campaign;
    form.set("campaign", about);
    form.set("body", source.value);
    const sent = { method: "POST", body: form, credentials: "same-origin" };
    const answer = await fetch(seen.dataset.at, sent).catch(() => null);
    if (answer?.ok && turn === asked) seen.innerHTML = await answer.text();
  };
  source.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 400);
  });
  if (source.value) look();
}

// A picture is handed in and put where somebody writes, without leaving the page.
const insert = document.querySelector("[data-insert]");
if (insert) {
  const [file, words] = insert.querySelectorAll("input");
  const told = insert.querySelector("[role=status]");
  const areas = [...document.querySelectorAll("textarea")];
  let target = areas[0];
  for (const area of areas) area.addEventListener("focus", () => { target = area; });
  insert.hidden = false;
  insert.querySelector("button").addEventListener("click", async () => {
    const form = new FormData();
    form.set("csrf_token", target.form.elements.csrf_token.value);
    if (file.files[0]) form.set("file", file.files[0]);
    form.set("alt", words.value);
    const headers = { Accept: "application/json" };
    const sent = { method: "POST", body: form, headers, credentials: "same-origin" };
    const answer = await fetch(insert.dataset.insert, sent).catch(() => null);
    const said = await answer?.json().catch(() => null);
    told.textContent = said?.error ?? (said ? "✓" : "×");
    if (!said?.markdown) return;
    target.setRangeText(`\n\n${said.markdown}\n\n`, target.selectionEnd, target.selectionEnd, "end");
    target.dispatchEvent(new Event("input", { bubbles: true }));
    file.value = words.value = "";
  });
}
