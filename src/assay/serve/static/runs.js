"use strict";
// A filter over the list; the page is whole without it.
const find = document.getElementById("find");
if (find) {
  const runs = [...document.querySelectorAll(".run")];
  const shown = document.getElementById("shown");
  find.closest("label").hidden = runs.length < 6;
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    for (const run of runs) run.hidden = !run.dataset.name.toLowerCase().includes(wanted);
    const left = runs.filter((run) => !run.hidden).length;
    shown.textContent = wanted ? `${left} of ${runs.length} runs` : "";
  });
}
// Choosing the same run on both sides moves the other choice away.
for (const radio of document.querySelectorAll(".choose input")) {
  radio.addEventListener("change", () => {
    const other = radio.name === "before" ? "after" : "before";
    const same = document.querySelector(`input[name="${other}"][value="${CSS.escape(radio.value)}"]`);
    if (same.checked) same.checked = false;
  });
}
