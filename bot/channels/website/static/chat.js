/* The chat: a launcher, and a panel that is made at the first click. */

const sheetOf = (css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
};

const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
const now = () => new Date().toISOString();

class MiliaChat extends HTMLElement {
  static observedAttributes = ["colour", "color"];

  connectedCallback() {
    if (this.root) return this.listen();
    this.root = this.attachShadow({ mode: "open" });
    this.look = sheetOf("");
    this.size = sheetOf("");
    this.root.adoptedStyleSheets = [sheetOf(STYLES), this.look, this.size];
    this.title_ = this.getAttribute("title") || WORDS.title;
    this.removeAttribute("title"); // it would be a tooltip over everything
    this.paint();
    this.unread = new Set();
    this.shown = new Map();
    this.staff = new Set();
    this.badge = el("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this.launcher = el(
      "button",
      { type: "button", class: "launcher", "aria-expanded": "false", onclick: () => (this.isOpen ? this.close() : this.open()) },
      icon("chat"),
      icon("down"),
      this.badge,
    );
    this.status = el("p", { class: "hidden", role: "status" });
    this.area = el("section", { class: "area", lang: "en-AU", "aria-label": "Chat" }, this.launcher, this.status);
    this.root.append(this.area);
    this.count();
    this.watch();
  }

  disconnectedCallback() {
    this.listening?.abort();
  }

  attributeChangedCallback() {
    if (this.root) this.paint();
  }

  paint() {
    const own = getComputedStyle(this).getPropertyValue("--milia-accent").trim();
    this.look.replaceSync(themeRules(this.getAttribute("colour") || this.getAttribute("color") || own || DEFAULT_ACCENT));
  }

  /* What happens outside: another tab in front, the network, the phone's keyboard. */
  watch() {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.listening?.abort() : this.comeBack()));
    addEventListener("online", () => this.isOpen && this.again());
    addEventListener("pagehide", () => this.listening?.abort());
    addEventListener("pageshow", (event) => event.persisted && this.comeBack());
    FULL_SCREEN.addEventListener("change", () => this.fit());
    for (const kind of ["resize", "scroll"]) window.visualViewport?.addEventListener(kind, () => this.fit());
    const whenIdle = window.requestIdleCallback || ((work) => setTimeout(work, 500));
    const resume = () => {
      if (tab.recall().open && !FULL_SCREEN.matches) this.open(false);
      else if (browser.recall().token) this.listen();
    };
    whenIdle(resume);
  }

  comeBack() {
    if (!this.panel) return browser.recall().token && this.listen();
    this.catchUp().catch(() => {});
    this.listen();
  }

  // ------------------------------------------------------------ open and close

  open(take = true) {
    this.panel ||= this.build();
    this.isOpen = true;
    tab.remember({ open: true });
    this.panel.hidden = false;
    this.area.classList.add("open");
    this.launcher.setAttribute("aria-expanded", "true");
    const [unread] = this.unread;
    this.unread.clear();
    this.count();
    this.fit();
    if (take) this.focusInside();
    if (!this.met) this.connect();
    else this.scroll(false, unread);
  }

  close() {
    this.isOpen = false;
    tab.remember({ open: false });
    this.panel.hidden = true;
    this.area.classList.remove("open");
    this.launcher.setAttribute("aria-expanded", "false");
    this.count();
    this.fit();
    this.launcher.focus();
  }

  /* On a phone the keyboard would hide half of what there is to read, so it waits for a tap. */
  focusInside() {
    (FINGERS.matches ? this.heading : this.input).focus({ preventScroll: true });
  }

  /* Full screen the panel is a modal dialog, and as high as the keyboard leaves it. */
  fit() {
    const modal = !!this.isOpen && FULL_SCREEN.matches;
    const view = window.visualViewport;
    this.size.replaceSync(modal && view ? `.panel{--height:${view.height}px;--top:${view.offsetTop}px}` : "");
    if (modal === this.modal) return;
    this.modal = modal;
    this.panel?.setAttribute("aria-modal", modal);
    this.launcher.inert = modal;
    const page = document.documentElement.style;
    if (modal) {
      this.overflow = page.overflow;
      page.overflow = "hidden";
    } else page.overflow = this.overflow || "";
  }

  onkey(event) {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (this.question.hidden) this.close();
      else this.askToStartAgain(false);
    }
    if (event.key !== "Tab" || !this.modal) return;
    const all = [...this.panel.querySelectorAll("a, button, textarea, [tabindex='0']")].filter((one) => one.getClientRects().length);
    const [first, last] = [all[0], all[all.length - 1]];
    const at = this.root.activeElement;
    if (event.shiftKey ? at === first || at === this.heading : at === last) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  build() {
    this.heading = el("h2", { id: "title", tabindex: "-1", dir: "auto" }, this.title_);
    this.question = el(
      "div",
      { class: "question", role: "group", "aria-label": "Start again?", hidden: true },
      el("p", null, "Start again? This conversation will no longer be shown here, and replies to it won't reach you."),
      (this.yes = el("button", { type: "button", class: "link", onclick: () => this.startAgain() }, "Start again")),
      el("button", { type: "button", class: "chip", onclick: () => this.askToStartAgain(false) }, "Keep chatting"),
    );
    this.log = el("div", { class: "log", role: "log", "aria-label": "Messages", "aria-live": "off" });
    this.typing = el("div", { class: "typing", "aria-hidden": "true", hidden: true }, el("i"), el("i"), el("i"));
    this.view = el("div", { class: "view", tabindex: "0", role: "group", "aria-label": "Conversation" }, this.log, this.typing);
    this.input = el("textarea", {
      id: "text", rows: "1", dir: "auto", autocomplete: "off", enterkeyhint: "send", placeholder: "Write your question",
      oninput: () => this.draft(),
      onkeydown: (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.submit();
      },
    });
    const form = el(
      "form",
      { class: "composer", onsubmit: (event) => (event.preventDefault(), this.submit()) },
      el("label", { class: "hidden", for: "text" }, "Your question"),
      this.input,
      el("button", { class: "round send", "aria-label": "Send", title: "Send" }, icon("send")),
    );
    const panel = el(
      "div",
      { class: "panel", hidden: true, role: "dialog", "aria-labelledby": "title", "aria-modal": "false", onkeydown: (event) => this.onkey(event) },
      el(
        "header",
        null,
        el("span", { class: "mark" }, icon("leaf")),
        el("div", { class: "names" }, this.heading, el("p", null, "Automated assistant")),
        (this.restart = iconButton("again", "Start again", () => this.askToStartAgain(this.question.hidden), { "aria-expanded": "false" })),
        iconButton("close", "Close chat", () => this.close()),
      ),
      this.question,
      this.view,
      form,
    );
    this.outbox = new Outbox({
      sending: (message) => {
        this.mark(message, "");
        this.problem(null);
        this.working(true);
      },
      slow: () => this.slow(),
      heard: (message, said) => this.hear(said),
      sent: () => {
        this.working(false);
        this.again();
      },
      failed: (message, problem) => this.fail(message, problem),
    });
    this.area.insertBefore(panel, this.launcher);
    this.input.value = tab.recall().draft || "";
    this.greet();
    return panel;
  }

  /* What stands above every conversation, known without the server. */
  greet() {
    const { text, links } = WORDS.notice;
    this.greeting = messageElement({ from: "bot", text: this.getAttribute("greeting") || WORDS.greeting, at: now() }, this.tell);
    this.greeting.classList.add("greeting");
    this.log.append(el("div", { class: "notice" }, el("p", { dir: "auto" }, text), linksOf({ links })), this.greeting);
  }

  // ------------------------------------------------------------ the conversation

  connect() {
    this.connecting ||= patiently(this.begin(), () => this.slow()).finally(() => (this.connecting = null));
    return this.connecting;
  }

  async begin() {
    try {
      const met = await meet();
      if (!met.new) await this.catchUp();
      this.met = true;
      this.problem(null);
      if (!this.log.querySelector(".visitor")) this.offer(met.buttons, this.greeting);
    } catch (problem) {
      this.problem(problem);
    }
    this.outbox.waiting.forEach((message) => this.show({ ...message, from: "visitor" }, true));
    this.listen();
    if (this.met) this.outbox.run();
    this.scroll(false, this.trouble);
    // Only what comes from now on is announced.
    setTimeout(() => this.log.setAttribute("aria-live", "polite"), 300);
  }

  async catchUp() {
    const items = await history();
    this.outbox.settle(new Set(items.map((item) => item.id)));
    for (const item of items) {
      this.show(item, true);
      this.mark(item, "");
    }
  }

  /* The server answers, or may. */
  again() {
    this.problem(null);
    if (!this.met) this.connect();
    this.outbox.run();
  }

  submit() {
    const text = this.input.value;
    if (!text.trim()) return this.input.focus();
    if (text.length > 50000) return this.warn(WORDS.tooLong);
    this.input.value = "";
    this.draft();
    this.send({ text });
  }

  send(words) {
    const message = { ...words, id: newId(), at: now() };
    this.show({ ...message, from: "visitor" });
    this.outbox.add(message);
  }

  hear(said) {
    if (said.type === "typing") return;
    this.problem(null);
    this.show(said);
  }

  /* Shows an item once. old: from before, so it is neither counted nor scrolled to. */
  show(item, old) {
    if (this.shown.has(item.id)) return;
    const node = messageElement(item, this.tell);
    this.shown.set(item.id, node);
    if (item.from === "staff") this.staff.add(item.id);
    const day = dayOf(item.at);
    if (day !== this.day) {
      if (this.day || day !== "Today") this.log.append(el("p", { class: "day" }, day));
      this.day = day;
    }
    this.log.append(node);
    if (this.trouble) this.log.append(this.trouble);
    if (item.from === "visitor") this.offer([]);
    else if (item.buttons?.length) this.offer(item.buttons, node);
    if (!old && item.from !== "visitor") this.miss(node);
    this.scroll(!old, item.from === "staff" && node);
  }

  /* The next steps under the latest reply; those of earlier replies are gone. */
  offer(buttons, node) {
    this.chips?.remove();
    this.chips = null;
    if (!buttons.length) return;
    const choose = (button) => {
      this.send({ text: button.title, button: button.payload });
      (FINGERS.matches ? this.view : this.input).focus({ preventScroll: true });
    };
    this.chips = el(
      "div",
      { class: "chips", role: "group", "aria-label": "Suggestions" },
      ...buttons.map((button) => el("button", { type: "button", class: "chip", dir: "auto", onclick: () => choose(button) }, button.title)),
    );
    node.append(this.chips);
  }

  fail(message, problem) {
    this.working(false);
    this.mark(message, "Not sent");
    this.problem(problem, message);
  }

  mark(message, state) {
    const node = this.shown.get(message.id);
    if (!node) return;
    node.classList.toggle("unsent", !!state);
    node.querySelector(".state")?.remove();
    if (state) node.querySelector(".meta").append(el("span", { class: "state" }, state));
  }

  /* Says what is wrong and what to do about it; null takes it away. */
  problem(problem, message) {
    const refused = problem instanceof Refused && problem.message;
    this.away = !!problem && !refused;
    if (!problem) return this.warn(null);
    if (this.away) {
      this.listening?.abort();
      this.listen();
    }
    const final = message && (problem.status === 413 || problem.status === 400);
    const edit = () => {
      this.outbox.drop(message);
      this.shown.get(message.id)?.remove();
      this.input.value = message.text;
      this.draft();
      this.problem(null);
      this.input.focus();
    };
    const retry = () => {
      this.input.focus({ preventScroll: true });
      this.again();
    };
    const onclick = final ? edit : retry;
    this.warn(
      refused || WORDS.offline.text,
      el("button", { type: "button", class: "chip", onclick }, icon("again"), final ? "Edit it" : "Try again"),
    );
  }

  /* Nothing is given up yet. */
  slow() {
    this.warn(WORDS.slow);
  }

  /* A sentence under the conversation, with the phone line; null takes it away. */
  warn(text, button) {
    this.trouble?.remove();
    this.trouble = text && el("div", { class: "problem" }, el("p", { dir: "auto" }, text), linksOf(WORDS.offline), button);
    if (!text) return;
    this.log.append(this.trouble);
    this.scroll(true, this.trouble);
    if (this.log.getAttribute("aria-live") === "off") this.tell(text);
  }

  askToStartAgain(asked) {
    this.question.hidden = !asked;
    this.restart.setAttribute("aria-expanded", asked);
    (asked ? this.yes : this.restart).focus();
  }

  startAgain() {
    this.askToStartAgain(false);
    this.outbox.clear();
    forget();
    this.listening?.abort();
    this.log.setAttribute("aria-live", "off");
    this.log.replaceChildren();
    this.shown.clear();
    this.day = this.trouble = this.chips = this.connecting = null;
    this.met = false;
    this.working(false);
    this.greet();
    this.connect();
    this.tell("A new conversation.");
    this.focusInside();
  }

  /* Waits for replies that come later, as long as somebody may see them. */
  async listen() {
    if (this.listening && !this.listening.signal.aborted) return;
    const stop = (this.listening = new AbortController());
    let rest = 2;
    while (!stop.signal.aborted && !document.hidden) {
      try {
        if (this.away) {
          await pause(10);
          await history(); // answers at once when anybody does; what follows waits for news
          if (this.away) this.again();
        }
        const answer = await askKnown("live?shown=" + [...this.staff].join(","), null, stop.signal);
        const { items } = await answer.json();
        this.staff.clear();
        if (items.length && !this.panel) {
          this.panel = this.build();
          await this.connect();
        }
        for (const item of items) {
          this.show(item);
          this.staff.add(item.id);
          this.miss(this.shown.get(item.id)); // the history may have shown it before
        }
        if (items.length) this.scroll(true, this.shown.get(items[0].id));
        rest = 2;
        await pause(1);
      } catch (problem) {
        await pause(Math.max(rest, problem.wait || 0));
        rest = Math.min(rest * 2, 60);
      }
    }
    stop.abort();
  }

  // ------------------------------------------------------------ small things

  tell = (words) => {
    this.status.textContent = "";
    requestAnimationFrame(() => (this.status.textContent = words));
  };

  working(on) {
    this.typing.hidden = !on;
    if (on) this.scroll(true);
  }

  /* Counts a message that came while the chat is closed. */
  miss(node) {
    if (this.isOpen) return;
    this.unread.add(node);
    this.count();
    this.tell("New message in the chat.");
  }

  count() {
    const number = this.unread.size;
    this.badge.hidden = !number;
    this.badge.textContent = number > 9 ? "9+" : number;
    const news = number ? `, ${number} new ${number === 1 ? "message" : "messages"}` : "";
    this.launcher.setAttribute("aria-label", (this.isOpen ? "Close chat" : "Open chat") + news);
  }

  draft() {
    tab.remember({ draft: this.input.value });
  }

  /* To the end, but no further than to where the reply to the latest question begins, or another element. */
  scroll(softly, to) {
    const view = this.view;
    if (!view || !this.isOpen) return;
    const question = [...this.log.querySelectorAll(".visitor")].pop();
    const end = view.scrollHeight - view.clientHeight;
    const start = to || (question ? question.nextElementSibling : this.log);
    const top = start ? Math.min(end, start.offsetTop - 12) : end;
    view.scrollTo({ top, behavior: softly && !CALM.matches ? "smooth" : "auto" });
  }
}
