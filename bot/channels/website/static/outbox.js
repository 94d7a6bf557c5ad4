/* Messages on their way: one after the other, kept until the server has answered, also over a reload. */

const RETRIES = [0, 1, 3];

class Outbox {
  /* on: {sending, slow, heard, sent, failed}, each told of the message. */
  constructor(on) {
    this.on = on;
    this.waiting = tab.recall().unsent || [];
  }

  add(message) {
    this.waiting.push(message);
    this.keep();
    this.run();
  }

  /* Leaves out what has arrived after all. */
  settle(ids) {
    this.waiting = this.waiting.filter((message) => !ids.has(message.id));
    this.keep();
  }

  drop(message) {
    this.settle(new Set([message.id]));
  }

  clear() {
    this.waiting = [];
    this.keep();
  }

  keep() {
    tab.remember({ unsent: this.waiting });
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    let failed = false;
    while (this.waiting.length && !failed) {
      const message = this.waiting[0];
      try {
        await patiently(this.deliver(message), () => this.on.slow(message));
        this.drop(message);
        this.on.sent(message);
      } catch (problem) {
        failed = this.waiting.includes(message);
        if (failed) this.on.failed(message, problem);
      }
    }
    this.busy = false;
  }

  async deliver(message) {
    this.on.sending(message);
    for (let attempt = 0; ; attempt++) {
      const again = !!message.tried;
      message.tried = true;
      this.keep();
      try {
        await converse(message, again, (said) => this.on.heard(message, said));
        return;
      } catch (problem) {
        // Whether it arrived is unknown: the server knows the message by its id and answers it once.
        // A 5xx without a sentence is a proxy's: the server behind it went away, and another may answer.
        const refused = problem instanceof Refused && (problem.message || problem.status < 500);
        if (refused || attempt + 1 >= RETRIES.length || !this.waiting.includes(message)) throw problem;
        await pause(RETRIES[attempt + 1]);
      }
    }
  }
}
