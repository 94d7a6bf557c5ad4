/* Puts the chat on the page, once. */

if (!customElements.get(NAME)) {
  customElements.define(NAME, MiliaChat);
  const place = () => {
    if (document.querySelector(NAME)) return;
    const chat = document.createElement(NAME);
    for (const [name, value] of Object.entries(SCRIPT.dataset)) chat.setAttribute(name.toLowerCase(), value);
    document.body.append(chat);
  };
  if (document.body) place();
  else addEventListener("DOMContentLoaded", place);
}
