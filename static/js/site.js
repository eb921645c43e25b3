// What pages do a little better with JavaScript; every page works without it.

// Live figures: a part marked data-live="15" is asked for again every 15 seconds.
const live = document.querySelector("[data-live]");
if (live) setInterval(refresh, Math.max(5, Number(live.dataset.live) || 15) * 1000);

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const next = page.getElementById(part.id);
    if (!next || part.contains(document.activeElement)) continue;
    const before = part.cloneNode(true);
    before.classList.remove("fresh");
    for (const open of before.querySelectorAll("details[open][id]")) {
      open.open = false;
      const same = next.querySelector(`#${open.id}`);
      if (same) same.dataset.reopen = "";
    }
    if (before.isEqualNode(strip(next.cloneNode(true)))) continue;
    for (const again of next.querySelectorAll("[data-reopen]")) again.open = true;
    strip(next).classList.add("fresh");
    part.replaceWith(next);
  }
}

function strip(part) {
  for (const mark of part.querySelectorAll("[data-reopen]")) delete mark.dataset.reopen;
  return part;
}

document.addEventListener("click", async (event) => {
  const close = event.target.closest("[data-dismiss]");
  if (close) close.closest(".toast")?.remove();
  const copy = event.target.closest("[data-copy]");
  if (!copy) return;
  await navigator.clipboard.writeText(copy.dataset.copy);
  copy.querySelector("[data-copied]")?.removeAttribute("hidden");
});

for (const extra of document.querySelectorAll("[data-needs-js]")) extra.hidden = false;
