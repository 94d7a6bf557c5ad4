/* Where this script came from, and what its tag says. */

const SCRIPT = document.currentScript || document.querySelector('script[src*="widget.js"]');
const BASE = new URL(".", SCRIPT.src);
const FULL_SCREEN = matchMedia("(max-width: 480px), (max-height: 420px)");
const FINGERS = matchMedia("(pointer: coarse)");
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const NAME = "milia-chat";

/* Storage may be forbidden or full; then the chat lasts as long as the page. */
const shelf = (kind) => {
  let values = {};
  const key = NAME + BASE.pathname;
  return {
    recall() {
      try {
        return JSON.parse(window[kind].getItem(key)) || values;
      } catch {
        return values;
      }
    },
    remember(change) {
      values = { ...this.recall(), ...change };
      try {
        window[kind].setItem(key, JSON.stringify(values));
      } catch {}
    },
  };
};

/* For this browser: the session's token and the thumbs given. For this tab: open or not, what is unsent, a draft. */
const browser = shelf("localStorage");
const tab = shelf("sessionStorage");
