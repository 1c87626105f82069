"use strict";
const button = document.getElementById("open-all");
const details = document.querySelectorAll("details");
if (details.length) button.hidden = false;
button.addEventListener("click", () => {
  const open = button.getAttribute("aria-pressed") !== "true";
  for (const each of details) each.open = open;
  button.setAttribute("aria-pressed", String(open));
  button.textContent = open ? "Close every detail" : "Open every detail";
});
// A link into something closed opens it.
function reveal() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}
addEventListener("hashchange", reveal);
reveal();
