/* Elements are made here and nowhere else: text only ever becomes text. */

const SAFE = /^(https?|tel|mailto):/i;

const el = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
};

const ICONS = {
  chat: "M12 3.5c-5 0-9 3.4-9 7.6 0 2.4 1.3 4.5 3.4 5.9-.1 1.2-.6 2.3-1.4 3.2 1.9-.1 3.6-.8 4.9-1.8.7.1 1.4.2 2.1.2 5 0 9-3.4 9-7.5s-4-7.6-9-7.6z",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9.5l6 6 6-6",
  again: "M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4.5v4h4",
  send: "M12 19V5.5M6 11l6-6 6 6",
  phone: "M5.2 4h3.4l1.7 4.2-2.1 1.5a11 11 0 0 0 6.1 6.1l1.5-2.1L20 15.4v3.4c0 .7-.6 1.2-1.2 1.2C10.600 20 4 13.400 4 5.200 4 4.600 4.500 4 5.200 4z",
  out: "M9 5H5v14h14v-4M13 4h7v7M20 4l-9 9",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  tick: "M5 12.500l4.500 4.500L19 7.500",
  up: "M7 10.500v9H4v-9zM7 10.500L11 4c1.500 0 2.300 1 2.100 2.400L12.600 9.500H18c1.300 0 2.200 1.200 1.900 2.400l-1.500 6c-.2.900-1 1.600-2 1.600H7",
  leaf: "M12 3c.700 5 3.500 8.300 9 9-5.500.700-8.300 4-9 9-.700-5-3.500-8.300-9-9 5.500-.700 8.300-4 9-9z",
};

const icon = (name, kind) => {
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return node;
  };
  const svg = make("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: kind || "icon" });
  svg.append(make("path", { d: ICONS[name] }));
  return svg;
};

/* A link as a button; nothing for a target that is no web page, number or address. */
const linkButton = ({ title, target }) => {
  if (!SAFE.test(target)) return null;
  const web = /^http/i.test(target);
  return el(
    "a",
    { class: "link", href: target, target: web && "_blank", rel: web && "noopener", onclick: () => opened(target) },
    icon(web ? "out" : "phone"),
    el("span", { dir: "auto" }, title),
    web && el("span", { class: "hidden" }, " (opens in a new tab)"),
  );
};

const iconButton = (name, label, onclick, attributes) =>
  el("button", { type: "button", class: "round", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
