/* One message of the conversation as an element. */

const SPEAKERS = { visitor: "You", bot: "Assistant", staff: "Our team" };
const HOURS = new Intl.DateTimeFormat("en-AU", { hour: "numeric", minute: "2-digit" });
const DAYS = new Intl.DateTimeFormat("en-AU", { weekday: "long", day: "numeric", month: "long" });

const dayOf = (at) => {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 864e5);
  return ["Today", "Yesterday"][days] || DAYS.format(new Date(at));
};

/* tell: says something to those who can't see what changed. */
const messageElement = (item, tell) => {
  const mine = item.from === "visitor";
  const meta = el(
    "div",
    { class: "meta" },
    el("time", { datetime: item.at }, HOURS.format(new Date(item.at))),
    item.rate && thumbs(item, tell),
  );
  return el(
    "div",
    { class: "message " + (mine ? "visitor" : item.from), "data-id": item.id },
    el("span", { class: item.from === "staff" ? "name" : "hidden" }, SPEAKERS[item.from] || SPEAKERS.bot, mine ? " said: " : ": "),
    el("p", { class: "bubble", dir: "auto" }, item.text),
    item.code && codeBox(item.code, tell),
    linksOf(item),
    meta,
  );
};

const linksOf = ({ links }) => {
  const buttons = (links || []).map(linkButton).filter(Boolean);
  return buttons.length ? el("div", { class: "links" }, ...buttons) : null;
};

const codeBox = (code, tell) => {
  const shown = el("code", { dir: "ltr" }, code);
  const label = el("span", null, "Copy code");
  const button = el("button", { type: "button", class: "copy", onclick: copy }, icon("copy"), label);
  async function copy() {
    try {
      await navigator.clipboard.writeText(code);
    } catch {
      // Without permission, or on a page without https: select it, so that it can be copied by hand.
      getSelection().selectAllChildren(shown);
      label.textContent = "Selected: copy it";
      tell("The code is selected.");
      return;
    }
    button.firstChild.replaceWith(icon("tick"));
    label.textContent = "Copied";
    tell("Code copied.");
  }
  return el("div", { class: "code" }, shown, button);
};

const thumbs = (item, tell) => {
  const given = browser.recall().thumbs || {};
  const thanks = el("span", { class: "thanks" });
  const press = async (up) => {
    const before = given[item.id];
    mark(up);
    try {
      await askKnown("feedback", { reply: item.id, up });
      browser.remember({ thumbs: { ...browser.recall().thumbs, [item.id]: up } });
      thanks.textContent = up ? "Thanks!" : "Thanks, we'll look into it.";
    } catch {
      mark(before);
      thanks.textContent = "That didn't arrive. Please try again.";
    }
    tell(thanks.textContent);
  };
  const buttons = [true, false].map((up) =>
    el(
      "button",
      { type: "button", class: up ? "thumb" : "thumb under", "aria-label": up ? "This helped" : "This didn't help", onclick: () => press(up) },
      icon("up"),
    ),
  );
  const mark = (up) => {
    given[item.id] = up;
    buttons.forEach((button, place) => button.setAttribute("aria-pressed", up === (place === 0)));
  };
  mark(given[item.id]);
  return el("span", { class: "thumbs" }, ...buttons, thanks);
};
