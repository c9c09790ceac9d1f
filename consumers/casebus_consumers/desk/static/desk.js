/* The desk's one script. Every page works without it; with it pages follow what comes, by server-sent events. */
"use strict";
(() => {
  const body = document.body;
  const changed = (one) => {
    if (one.tagName === "SELECT") return one.selectedIndex !== Math.max([...one.options].findIndex((choice) => choice.defaultSelected), 0);
    if (one.type === "checkbox" || one.type === "radio") return one.checked !== one.defaultChecked;
    return "defaultValue" in one && one.value !== one.defaultValue;
  };
  const written = () =>
    [...document.querySelectorAll("main form[method=post]")].some((form) =>
      [...form.elements].some((one) => one.type !== "hidden" && changed(one)));
  const busy = () => written() || document.querySelector("main details[open]") !== null ||
    (document.activeElement !== null && document.activeElement.closest("main form") !== null);

  /* What has come is shown at once, unless somebody writes or reads within; then a line says so. */
  async function renew() {
    const notice = document.getElementById("news");
    if (busy()) {
      if (notice) notice.hidden = false;
      return;
    }
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["main", "top"]) {
      const here = document.getElementById(part), there = fresh.getElementById(part);
      if (here && there) here.replaceWith(document.adoptNode(there));
    }
    document.title = fresh.title;
  }

  if (body.dataset.seq !== undefined && "EventSource" in window) {
    const stream = new EventSource(`/live?after=${encodeURIComponent(body.dataset.seq)}`);
    let waiting = 0;
    stream.addEventListener("changed", () => {
      clearTimeout(waiting);
      waiting = setTimeout(renew, 150);
    });
    stream.addEventListener("ended", () => stream.close());
    addEventListener("pagehide", () => stream.close());
  }

  /* A page on which work is under way looks again until that is over. */
  const again = () => {
    if (document.querySelector("[data-renew]")) setTimeout(() => renew().finally(again), 1500);
  };
  again();

  /* Keys on lists: j and k move, Enter opens, s signs, / searches. */
  const rows = () => [...document.querySelectorAll("[data-row]")];
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const every = rows();
    const at = every.findIndex((row) => row.contains(document.activeElement));
    const go = (number) => every[number]?.querySelector("a")?.focus();
    if (event.key === "j") go(Math.min(at + 1, every.length - 1));
    else if (event.key === "k") go(Math.max(at - 1, 0));
    else if (event.key === "s" && at >= 0) every[at].querySelector("[data-sign]")?.focus();
    else if (event.key === "/") document.getElementById("find")?.focus();
    else return;
    event.preventDefault();
  });
})();
