// Strokes: lists of points [x, y] from 0 to 1. The pad on which they are drawn, and the image that a network reads.

const FINE = 4, PEN = 2.5; // fine pixels to one of the image; the pen's width in the image's pixels
const fine = Object.assign(document.createElement("canvas"), { width: SIDE * FINE, height: SIDE * FINE })
  .getContext("2d", { willReadFrequently: true });

function trace(context, strokes, place) {
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  for (const stroke of strokes) {
    context.moveTo(...place(stroke[0]));
    for (const point of stroke.length > 1 ? stroke.slice(1) : stroke) context.lineTo(...place(point));
  }
  context.stroke();
}

// As MNIST's images were made: the drawing fills 20 pixels, and its centre of mass lies in the centre of 28x28.
function strokesToImage(strokes, pen = PEN) {
  const xs = strokes.flat().map(p => p[0]), ys = strokes.flat().map(p => p[1]);
  const left = Math.min(...xs), top = Math.min(...ys), width = Math.max(...xs) - left, height = Math.max(...ys) - top;
  const scale = (20 - pen) / Math.max(width, height, 0.1);
  const centre = [left + width / 2, top + height / 2];
  const image = new Float32Array(PIXELS);
  let shift = [0, 0];
  for (const last of [false, true]) {
    fine.fillStyle = "#000";
    fine.fillRect(0, 0, SIDE * FINE, SIDE * FINE);
    fine.strokeStyle = "#fff";
    fine.lineWidth = pen * FINE;
    trace(fine, strokes, p => [0, 1].map(i => FINE * (SIDE / 2 + shift[i] + scale * (p[i] - centre[i]))));
    const { data } = fine.getImageData(0, 0, SIDE * FINE, SIDE * FINE);
    image.fill(0);
    let mass = 0, x = 0, y = 0;
    for (let row = 0; row < SIDE * FINE; row++) {
      for (let column = 0; column < SIDE * FINE; column++) {
        const value = data[4 * (row * SIDE * FINE + column)] / 255;
        image[(row >> 2) * SIDE + (column >> 2)] += value / (FINE * FINE);
        mass += value;
        x += value * (column + 0.5);
        y += value * (row + 0.5);
      }
    }
    if (!last) shift = [SIDE / 2 - x / mass / FINE, SIDE / 2 - y / mass / FINE];
  }
  return image;
}

// The same drawing as another hand might have made it: turned, slanted, narrower or wider, with another pen.
function varied(strokes) {
  const any = width => (Math.random() * 2 - 1) * width;
  const angle = any(0.18), slant = any(0.15), wide = 1 + any(0.15);
  const cos = Math.cos(angle), sin = Math.sin(angle);
  const moved = strokes.map(stroke => stroke.map(([x, y]) => {
    const u = wide * (x - 0.5) + slant * (y - 0.5), v = y - 0.5;
    return [cos * u - sin * v + 0.5, sin * u + cos * v + 0.5];
  }));
  return strokesToImage(moved, PEN + any(0.6));
}

function paintImage(canvas, image) {
  const context = canvas.getContext("2d"), pixels = context.createImageData(SIDE, SIDE);
  image.forEach((value, i) => pixels.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
  context.putImageData(pixels, 0, 0);
}

class Pad {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = () => { this.paint(); changed(); };
    this.strokes = [];
    this.drawing = false;      // a pointer is down
    this.cursor = [0.5, 0.3];  // the keyboard's pen
    this.penDown = false;
    canvas.addEventListener("pointerdown", event => {
      if (event.button || this.drawing) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
      this.drawing = true;
      this.penDown = false;
      this.strokes.push([this.place(event)]);
      this.changed();
    });
    canvas.addEventListener("pointermove", event => {
      if (!this.drawing) return;
      const between = event.getCoalescedEvents?.() ?? [];
      for (const e of between.length ? between : [event]) this.strokes.at(-1).push(this.place(e));
      this.changed();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { this.drawing = false; });
    canvas.addEventListener("keydown", event => this.key(event));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.paint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    this.paint();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move) {
      this.cursor = this.cursor.map((at, i) => Math.min(0.97, Math.max(0.03, at + 0.04 * move[i])));
      if (this.penDown) this.strokes.at(-1).push([...this.cursor]);
    } else if (event.key === " ") {
      this.penDown = !this.penDown;
      if (this.penDown) this.strokes.push([[...this.cursor]]);
    } else if (event.key === "Backspace") {
      this.undo();
    } else if (event.key === "Escape") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.changed();
  }

  undo() {
    this.penDown = this.drawing = false;
    this.strokes.pop();
    this.changed();
  }

  clear() {
    this.penDown = this.drawing = false;
    this.strokes = [];
    this.changed();
  }

  paint() {
    const context = this.canvas.getContext("2d"), size = this.canvas.width, style = getComputedStyle(this.canvas);
    context.clearRect(0, 0, size, size);
    context.strokeStyle = style.getPropertyValue("--guide");
    context.lineWidth = 2;
    context.strokeRect(size * 0.16, size * 0.1, size * 0.68, size * 0.8);
    context.strokeStyle = style.getPropertyValue("--ink");
    context.lineWidth = size * 0.055;
    if (this.strokes.length) trace(context, this.strokes, p => [p[0] * size, p[1] * size]);
    if (document.activeElement === this.canvas && this.canvas.matches(":focus-visible")) {
      context.fillStyle = context.strokeStyle = style.getPropertyValue("--accent");
      context.lineWidth = 3;
      context.beginPath();
      context.arc(this.cursor[0] * size, this.cursor[1] * size, 13, 0, 2 * Math.PI);
      if (this.penDown) context.fill(); else context.stroke();
    }
  }
}
