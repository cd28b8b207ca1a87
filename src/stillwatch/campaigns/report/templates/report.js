(() => {
  "use strict";
  const value = (row, column, numeric) => {
    const text = row.cells[column].textContent.trim();
    return numeric ? Number.parseFloat(text.replace(/[<>,]/g, "").replace("−", "-")) : text;
  };
  const compare = (a, b) =>
    typeof a === "string" ? a.localeCompare(b) : (Number.isNaN(a) ? -1 : a) - (Number.isNaN(b) ? -1 : b);
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const numeric = head.classList.contains("num");
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = numeric ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first
          ? (numeric ? "ascending" : "descending") : first;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        body.append(...[...body.rows].sort(
          (a, b) => sign * compare(value(a, column, numeric), value(b, column, numeric))));
      });
    });
    if (!table.classList.contains("members") || body.rows.length < 12) continue;
    const label = document.createElement("label");
    const field = document.createElement("input");
    const shown = document.createElement("output");
    field.type = "search";
    label.className = "filter";
    label.append("Filter these accounts ", field, shown);
    table.parentElement.before(label);
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase();
      let count = 0;
      for (const row of body.rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        count += row.hidden ? 0 : 1;
      }
      shown.textContent = wanted ? ` ${count} of ${body.rows.length}` : "";
    });
  }
  for (const graph of document.querySelectorAll("svg.graph")) {
    const light = (event) => {
      const near = event.type === "pointerover" ? event.target.closest(".box, .dot") : null;
      graph.classList.toggle("lit", near !== null);
      for (const path of graph.querySelectorAll("path")) {
        path.classList.toggle("on", near !== null && ("h" in near.dataset
          ? path.dataset.h === near.dataset.h
          : path.parentElement.dataset.n === near.dataset.n));
      }
    };
    graph.addEventListener("pointerover", light);
    graph.addEventListener("pointerout", light);
  }
})();
