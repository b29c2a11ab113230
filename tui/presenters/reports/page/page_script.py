"""What the page does: tables sort by a click on a heading, links unfold what they lead to.

Without scripts nothing is missing but the sorting.
"""

from __future__ import annotations

SCRIPT = """
"use strict";
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const kind = head.dataset.sort;
    if (!kind) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const value = row => {
      const cell = row.cells[column];
      return kind === "text" ? cell.textContent : cell.dataset.v === undefined ? null : Number(cell.dataset.v);
    };
    const first = kind === "text" ? "ascending" : "descending";
    button.addEventListener("click", () => {
      const rises = head.getAttribute("aria-sort") === first ? first === "descending" : first === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", rises ? "ascending" : "descending");
      const rows = [...body.rows].map(row => [value(row), row]);
      rows.sort(([one], [other]) => {
        if (one === null || other === null) return (one === null) - (other === null);
        const order = kind === "text" ? one.localeCompare(other, "en", {numeric: true}) : one - other;
        return rises ? order : -order;
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}
const unfold = () => {
  const target = /^#w\\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let around = target.closest("details"); around; around = around.parentElement.closest("details")) {
    around.open = true;
  }
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
"""
"""The script, with no word of the session in it: the page's policy has its hash. What has no value stays last."""
