"use strict";
// Swaps the fragment every two seconds; without JavaScript the page reloads itself by its meta tag.
const place = document.getElementById("live");
async function refresh() {
  try {
    const answer = await fetch("/fragment", { cache: "no-store" });
    if (answer.ok) {
      place.innerHTML = await answer.text();
      document.body.classList.remove("away");
    }
  } catch {
    document.body.classList.add("away");
  }
}
setInterval(refresh, 2000);
