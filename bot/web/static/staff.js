// Comfort only: every page works without it.
(() => {
  "use strict";

  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const search = document.querySelector('input[type="search"]');
    const titles = [...document.querySelectorAll(".groups .title")];
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
    } else if ((event.key === "j" || event.key === "k") && titles.length) {
      event.preventDefault();
      const now = titles.indexOf(document.activeElement);
      const next = event.key === "j" ? now + 1 : Math.max(now - 1, 0);
      titles[Math.min(next, titles.length - 1)].focus();
    }
  });

  // A choice in the list of all topics takes the place of the one above, and the other way round.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form) return;
    if (event.target.name === "other_topic" && event.target.value) {
      form.querySelectorAll('input[name="topic"]').forEach((radio) => { radio.checked = false; });
    } else if (event.target.name === "topic") {
      form.elements.other_topic.value = "";
    }
  });

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
  });

  // What a visitor wrote, copied to the examples to be said in other words.
  document.querySelectorAll("[data-copies]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.copies);
      field.value = [field.value.trimEnd(), button.parentElement.querySelector(".said").textContent].filter(Boolean).join("\n");
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  });

  // The menu of the account closes when something else is wanted.
  document.addEventListener("click", (event) => {
    const menu = document.querySelector(".me[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });

  // What couldn't be sent: told where the next answer takes the words away again. What was typed and said stays.
  const failed = ({ requestConfig, target }) => {
    if (requestConfig.verb === "get") return;
    const told = document.createElement("p");
    told.className = "problem";
    told.setAttribute("role", "alert");
    told.textContent = "That didn’t work just now. What you typed is still here.";
    const place = document.getElementById("composer") || target;
    place.querySelectorAll(".problem").forEach((old) => old.remove());
    place.prepend(told);
  };

  // The server's answer to a failed search is a page, not a list: go there instead.
  document.addEventListener("htmx:responseError", (event) => {
    failed(event.detail);
    if (event.detail.requestConfig.verb === "get") window.location.assign(event.detail.pathInfo.finalRequestPath);
  });
  document.addEventListener("htmx:sendError", (event) => failed(event.detail));
})();
