"use strict";
for (const place of document.querySelectorAll(".plot[data-spec]")) {
  const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
  const live = document.createElement("div");
  live.className = "live";
  place.append(live);
  vegaEmbed(live, spec, {
    ast: true, // expressions are interpreted, so the page needs no right to evaluate code
    renderer: "svg",
    actions: false,
    defaultStyle: false,
    tooltip: { theme: "custom" },
  }).then(() => place.classList.add("drawn"));
}
