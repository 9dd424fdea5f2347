// What stands on the page, and what happens to it.

const STEPS = 60, VARIANTS = 12, MOST_CLASSES = 32;
const $ = id => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const page = {
  names: [],     // of the classes
  kept: [],      // {strokes, image, label}
  rehearsal: [], // {image, label}: some digits of MNIST
  training: null, // what the training that goes on is known by
  times: { recognition: 0, step: 0 },

  async start() {
    this.recognizer = await Recognizer.load();
    const bytes = await unpacked("rehearsal");
    const count = bytes.length / PIXELS;
    for (let i = 0; i < count; i++) {
      const image = Float32Array.from(bytes.subarray(i * PIXELS, (i + 1) * PIXELS), value => value / 255);
      this.rehearsal.push({ image, label: Math.floor(i * 10 / count) });
    }
    this.pad = new Pad($("pad"), () => this.askSoon());
    $("undo").onclick = () => this.pad.undo();
    $("clear").onclick = () => this.pad.clear();
    $("train").onclick = () => {
      if (this.training) this.training = null;
      else this.train(STEPS).catch(error => this.stopped(error));
    };
    $("forget").onclick = () => this.forget();
    $("new").onsubmit = event => {
      event.preventDefault();
      this.addClass($("name").value.trim());
    };
    this.forget();
  },

  // As the page was at first.
  forget() {
    this.training = null;
    this.recognizer.open();
    this.names = Array.from({ length: this.recognizer.classes }, (_, i) => String(i));
    this.kept = [];
    this.untaught ??= $("progress").textContent;
    $("progress").textContent = this.untaught;
    $("curve").querySelector("polyline").setAttribute("points", "");
    $("plan").textContent = this.recognizer.plan;
    this.showNames();
    this.showKept();
    this.ask();
  },

  addClass(name) {
    if (!name || this.names.includes(name)) return $("name").focus();
    if (this.names.length === MOST_CLASSES) {
      $("progress").textContent = `${MOST_CLASSES} classes are as many as there can be.`;
      return;
    }
    this.recognizer.addClass();
    this.names.push(name);
    $("name").value = "";
    this.showNames();
    this.ask();
    $("progress").textContent = `Draw “${name}” a few times, choose its name each time, then train.`;
  },

  // Asked at most once for each picture of the screen.
  askSoon() {
    this.pending ??= requestAnimationFrame(() => { this.pending = null; this.ask(); });
  },

  ask() {
    const { strokes } = this.pad;
    const image = strokes.length ? strokesToImage(strokes) : new Float32Array(PIXELS);
    paintImage($("seen"), image);
    for (const button of [$("undo"), $("clear"), ...$("names").children]) button.disabled = !strokes.length;
    if (strokes.length) {
      const begun = performance.now();
      const answer = this.recognizer.recognize(image);
      this.times.recognition = performance.now() - begun;
      this.showAnswer(answer);
    } else {
      this.showAnswer(null);
    }
    this.showFacts();
  },

  showAnswer(answer) {
    const best = answer ? answer.indexOf(Math.max(...answer)) : -1;
    const percent = value => `${(100 * value).toFixed(1)} %`;
    $("best").textContent = answer ? this.names[best] : "–";
    $("best").classList.toggle("word", answer !== null && this.names[best].length > 2);
    $("sure").textContent = answer ? percent(answer[best]) : "draw something";
    [...$("bars").children].forEach((row, i) => {
      row.classList.toggle("first", i === best);
      row.querySelector("b").style.transform = `scaleX(${answer ? answer[i] : 0})`;
      row.querySelector("em").textContent = answer ? percent(answer[i]) : "";
    });
    this.answer = answer;
  },

  showNames() {
    $("bars").replaceChildren(...this.names.map(name => element("li", {},
      element("span", { textContent: name }), element("i", {}, element("b")), element("em"))));
    $("names").replaceChildren(...this.names.map((name, label) => {
      const count = this.kept.filter(example => example.label === label).length;
      const disabled = !this.pad.strokes.length;
      const button = element("button", { type: "button", onclick: () => this.keep(label), disabled }, name);
      if (count) button.append(element("sup", { textContent: count }));
      button.setAttribute("aria-label", `This is ${name}; ${count} kept`);
      return button;
    }));
  },

  showKept() {
    $("kept").replaceChildren(...this.kept.map((example, i) => {
      const canvas = element("canvas", { width: SIDE, height: SIDE });
      paintImage(canvas, example.image);
      const remove = () => { this.kept.splice(i, 1); this.showNames(); this.showKept(); };
      const button = element("button", { type: "button", onclick: remove, title: "Remove" }, canvas,
        element("span", { textContent: this.names[example.label] }));
      button.setAttribute("aria-label", `Remove drawing ${i + 1}, ${this.names[example.label]}`);
      return element("li", {}, button);
    }));
    $("train").disabled = !this.kept.length;
  },

  // The drawing is of this class.
  keep(label) {
    const { strokes } = this.pad;
    if (!strokes.length) return;
    this.kept.push({ strokes, image: strokesToImage(strokes), label });
    this.pad.clear();
    this.showNames();
    this.showKept();
    this.ask();
    $("progress").textContent = `${this.kept.length} kept. Draw more, or train.`;
    $("pad").focus({ preventScroll: true });
  },

  // Steps on batches that are half the user's drawings and half MNIST's, one in each picture of the screen.
  async train(steps) {
    if (!this.kept.length) return;
    const all = document.querySelector("input[name=layers]:checked").value === "1";
    const own = this.kept.flatMap(({ strokes, image, label }) =>
      [{ image, label }, ...Array.from({ length: VARIANTS }, () => ({ image: varied(strokes), label }))]);
    const some = (list, count) => Array.from({ length: count }, () => list[Math.floor(Math.random() * list.length)]);
    const losses = [];
    const training = this.training = {};
    let spent = 0;
    $("train").textContent = "Stop";
    while (this.training === training && losses.length < steps) {
      const begun = performance.now();
      losses.push(this.recognizer.learn([...some(own, BATCH / 2), ...some(this.rehearsal, BATCH / 2)], all));
      spent += performance.now() - begun;
      this.times.step = spent / losses.length;
      this.showLosses(losses, steps);
      this.ask();
      await new Promise(requestAnimationFrame);
    }
    if (this.training === training) $("progress").textContent += " Draw, and see what it says now.";
    if (this.training === training || !this.training) $("train").textContent = "Train";
    if (this.training === training) this.training = null;
    return losses;
  },

  stopped(error) {
    this.training = null;
    $("train").textContent = "Train";
    $("progress").textContent = `The training stopped: ${error.message}`;
  },

  showLosses(losses, steps) {
    const top = Math.max(...losses, 0.1);
    const points = losses.map((loss, i) => `${(300 * i / (steps - 1)).toFixed(1)},${(118 - 114 * loss / top).toFixed(1)}`);
    $("curve").querySelector("polyline").setAttribute("points", points.join(" "));
    $("progress").textContent =
      `Step ${losses.length} of ${steps}: loss ${losses[0].toFixed(3)} at first, ${losses.at(-1).toFixed(3)} now.`;
  },

  showFacts() {
    const { recognition, step } = this.times, ms = value => `${value.toFixed(1)} ms`;
    const facts = [`cconv ${this.recognizer.version}, compiled to WebAssembly`];
    if (recognition) facts.push(`an answer in ${ms(recognition)}`);
    if (step) facts.push(`a step of training in ${ms(step)}`);
    $("facts").textContent = `${facts.join(" · ")}.`;
  },
};

page.ready = page.start().catch(error => {
  $("facts").textContent = $("sure").textContent = `This page cannot run here: ${error.message}`;
  throw error;
});
