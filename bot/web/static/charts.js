// Draws each chart from the table of figures beside it, so that both always say the same.
(() => {
  "use strict";

  const COLOURS = ["#1d8a78", "#c2571a", "#4667c9", "#8d5aa8", "#a37a00", "#b3346b", "#5b6b67"];
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue("--quiet").trim();
  const line = style.getPropertyValue("--line").trim();

  const figures = (table) => {
    const [, ...names] = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    return { names, labels: rows.map((row) => row[0]), column: (n) => rows.map((row) => (row[n + 1] === "" ? null : Number(row[n + 1]))) };
  };

  const shortDay = (label) => {
    const day = /^\d{4}-\d\d-\d\d$/.test(label) ? new Date(`${label}T12:00`) : null;
    return day ? day.toLocaleDateString("en-AU", { day: "numeric", month: "short" }) : label;
  };

  const draw = (canvas) => {
    const section = canvas.closest(".chart");
    const { names, labels, column } = figures(section.querySelector("table"));
    const isBar = canvas.dataset.chart === "bar";
    const isStack = canvas.dataset.chart === "stack";
    const isFilled = isBar || isStack;
    const unit = canvas.dataset.unit || "";
    section.classList.add("drawn");
    // On a phone each name has a line of the legend, which gets no more than half the height.
    const least = matchMedia("(max-width: 40rem)").matches ? names.length * 3.25 : 0;
    canvas.parentElement.style.height = `${isBar ? Math.max(8, labels.length * 2.25 + 4) : Math.max(15, least)}rem`;
    new Chart(canvas, {
      type: isFilled ? "bar" : "line",
      data: {
        labels: labels.map(shortDay),
        datasets: names.map((label, n) => ({
          label, data: column(n), borderColor: COLOURS[n], backgroundColor: isFilled ? COLOURS[n] : "transparent",
          borderWidth: isFilled ? 0 : 2, borderDash: isFilled ? [] : [[], [6, 3], [2, 2], [8, 3, 2, 3]][n % 4],
          pointRadius: labels.length > 40 ? 0 : 2.5, cubicInterpolationMode: "monotone", spanGaps: true, maxBarThickness: 22,
        })),
      },
      options: {
        maintainAspectRatio: false,
        animation: false,
        indexAxis: isBar ? "y" : "x",
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: names.length > 1, labels: { color: text, boxWidth: 24, boxHeight: isFilled ? 10 : 2 } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.formattedValue}${unit}` } },
        },
        scales: {
          x: { stacked: isStack, ticks: { color: text, maxRotation: 0, autoSkipPadding: 24, precision: 0 }, grid: { color: isBar ? line : "transparent" }, beginAtZero: true },
          y: { stacked: isStack, ticks: { color: text, precision: 0 }, grid: { color: isBar ? "transparent" : line }, beginAtZero: true },
        },
      },
    });
  };

  document.querySelectorAll("canvas[data-chart]").forEach(draw);
})();
