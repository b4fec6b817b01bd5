"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const drawn = new Map();
  const lit = { patient: null, entry: null };

  // ---- plots ----
  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const names = ["ink", "dim", "line", "dot", "light", "lit", "paper"];
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  };
  const set = (view, values) => {
    for (const [name, value] of Object.entries(values)) view.signal(name, value);
    view.run();
  };
  // Rows from columns, as Series.rows makes them for pictures.
  const rows = (plot) => plot.series.flatMap((at) => {
    const { same, columns, odd, byPatient } = data.series[at];
    const names = Object.keys(columns);
    const made = [];
    for (let i = 0; i < columns[names[0]].length; i++) {
      if (names.some((name) => columns[name][i] === null)) continue;
      const row = { at: i, ...(byPatient ? data.patients[plot.patients][i] : {}), ...same };
      for (const name of names) row[name] = columns[name][i];
      for (const name of Object.keys(odd ?? {})) row[name] = odd[name][i] ?? "ok";
      made.push(row);
    }
    return made;
  });
  const filled = (plot, values) => {
    const spec = data.specs[plot.spec];
    return {
      ...spec,
      data: spec.data.map((one) => (one.name === "rows" ? { ...one, values: rows(plot) } : one)),
      signals: spec.signals.map((one) => (one.name in values ? { ...one, value: values[one.name] } : one)),
    };
  };
  const asked = new Set();
  const draw = async (figure) => {
    if (asked.has(figure)) return;
    asked.add(figure);
    const box = figure.querySelector(".plot");
    const plot = data.plots[figure.dataset.plot];
    const options = { mode: "vega", renderer: "svg", actions: false, hover: false, tooltip: () => {} };
    const { view } = await vegaEmbed(box, filled(plot, { ...colours(), ...lit }), options);
    drawn.set(figure, view);
    box.classList.add("drawn");
    view.description(figure.querySelector("figcaption").textContent);
    set(view, { ...colours(), ...lit }); // The highlight may have changed meanwhile.
    view.addEventListener("pointermove", (event, item) => point(event, item?.datum));
    // Not a dot's pointerout: highlighting draws another dot over it.
    box.addEventListener("pointerleave", () => point(null));
    view.addEventListener("click", (event, item) => item?.datum?.patient && keep(item.datum.patient));
  };
  const shown = (figure) => figure.offsetParent !== null;
  const near = new IntersectionObserver(
    (seen) => seen.filter((one) => one.isIntersecting).forEach((one) => draw(one.target)),
    { rootMargin: "600px" },
  );
  const recolour = () => drawn.forEach((view) => set(view, colours()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  addEventListener("beforeprint", () => {
    point(null);
    document.documentElement.dataset.scheme = "light";
    recolour();
    all("figure[data-plot]").filter(shown).forEach(draw);
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.scheme;
    recolour();
  });

  // ---- highlight one patient or entry in all plots ----
  const choice = document.getElementById("patient");
  const light = (values) => {
    const changed = Object.keys(values).filter((name) => lit[name] !== values[name]);
    if (!changed.length) return;
    Object.assign(lit, values);
    drawn.forEach((view, figure) => shown(figure) && set(view, lit));
    all("tr[data-entry]").forEach((row) => row.classList.toggle("lit", row.dataset.entry === lit.entry));
  };
  const keep = (patient) => {
    choice.value = choice.value === patient ? "" : patient;
    light({ patient: choice.value || null });
  };
  const point = (event, datum) => {
    tell(event, datum);
    light({ patient: datum?.patient ?? (choice.value || null), entry: datum?.entry ?? null });
  };
  choice.addEventListener("change", () => light({ patient: choice.value || null }));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    choice.value = "";
    point(null);
  });
  all("tr[data-entry]").forEach((row) => {
    row.addEventListener("pointerenter", () => light({ entry: row.dataset.entry }));
    row.addEventListener("pointerleave", () => light({ entry: null }));
  });

  // ---- tooltip ----
  const tip = document.getElementById("tip");
  const short = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value));
  const percent = (value) => `${(100 * value).toFixed(1)} %`;
  const FIELDS = {
    patient: ["patient"], group: ["group"], entry: ["entry"], run: ["run"], epoch: ["epoch"],
    value: ["value"], state: ["state"], reference: ["reference"], measured: ["measured"],
    difference: ["difference"], rank: ["rank"], share: ["share of samples", percent],
    median: ["median"], q1: ["lower quartile"], q3: ["upper quartile"],
    than: ["is better than number"], p: ["p"], cost: ["cost"], mean: ["mean"], low: ["from"], high: ["to"],
    hardware: ["hardware"], front: ["Pareto front"],
  };
  const tell = (event, datum) => {
    const known = Object.entries(FIELDS).filter(([name]) => datum?.[name] !== undefined && datum[name] !== null);
    tip.hidden = !event || !known.length;
    if (tip.hidden) return;
    tip.replaceChildren(...known.map(([name, [label, show = short]]) => {
      const line = document.createElement("div");
      for (const text of [label, show(datum[name])]) line.appendChild(document.createElement("span")).textContent = text;
      return line;
    }));
    const { clientX: x, clientY: y } = event;
    tip.style.left = `${Math.min(x + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${y + 16 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 16}px`;
  };

  // ---- choices ----
  all("select[data-chooses]").forEach((select) => {
    const choose = () => {
      all("figure", document.getElementById(select.dataset.chooses)).forEach((figure) => {
        figure.hidden = figure.dataset.choice !== select.value;
        // Hidden plots did not receive changes of the highlight.
        if (!figure.hidden && drawn.has(figure)) set(drawn.get(figure), { ...colours(), ...lit });
      });
    };
    select.addEventListener("change", choose);
    choose(); // A browser keeps a choice over a reload.
  });

  all("input[data-shows]").forEach((input) => {
    const show = () => {
      for (const one of all(input.dataset.shows, input.closest("section")))
        one.style.display = input.checked ? "inline" : "none";
    };
    input.addEventListener("change", show);
    show();
  });

  // ---- tables ----
  const order = (cell) => (cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v));
  const missing = (value) => value === "" || value === "\u2014";
  const compare = (a, b, sign) => {
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const sort = (head) => {
    const table = head.closest("table");
    const before = head.getAttribute("aria-sort");
    // The best first, then reversed.
    const first = head.querySelector("button").dataset.better === "higher" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const now = before === first ? other : first;
    all("th[aria-sort]", table).forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", now);
    const sign = now === "ascending" ? 1 : -1;
    for (const body of table.tBodies) {
      const sorted = [...body.rows].filter((row) => !row.classList.contains("section"));
      sorted.sort((a, b) => compare(order(a.cells[head.cellIndex]), order(b.cells[head.cellIndex]), sign));
      body.append(...sorted);
    }
  };
  all("thead th button").forEach((button) => button.addEventListener("click", () => sort(button.closest("th"))));
  all("input[data-filters]").forEach((input) => {
    const filter = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const entries = all("tbody tr:not(.section)", document.getElementById(input.dataset.filters));
      for (const row of entries) {
        const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
      for (const title of all("tr.section", document.getElementById(input.dataset.filters)))
        title.hidden = [...title.parentElement.rows].every((row) => row === title || row.hidden);
      const left = entries.filter((row) => !row.hidden).length;
      input.closest(".tools").querySelector("output").textContent =
        words.length ? `${left} of ${entries.length} rows` : "";
    };
    input.addEventListener("input", filter);
    filter();
  });
  all("figure[data-plot]").forEach((figure) => near.observe(figure));
})();
