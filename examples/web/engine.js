// cconv in WebAssembly: loads the core that stands in the page, and calls the functions of recognizer.c.

const SIDE = 28, PIXELS = SIDE * SIDE, BATCH = 32;

function base64Bytes(id) {
  return Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
}

async function unpacked(id) {
  const stream = new Blob([base64Bytes(id)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// What the core asks of a system: the time, an empty environment, and text for the console. Files there are none.
function systemCalls(module, memory) {
  const NO_SUCH_CALL = 52;
  const view = () => new DataView(memory().buffer);
  const known = {
    clock_time_get(...args) {
      view().setBigUint64(args.at(-1), BigInt(Math.round(performance.now() * 1e6)), true);
      return 0;
    },
    environ_sizes_get(count, size) {
      view().setUint32(count, 0, true);
      view().setUint32(size, 0, true);
      return 0;
    },
    environ_get: () => 0,
    emscripten_notify_memory_growth() {},
    proc_exit(status) { throw new Error(`the core ended with status ${status}`); },
    fd_write(file, parts, count, written) {
      let bytes = 0, text = "";
      for (let i = 0; i < count; i++) {
        const at = view().getUint32(parts + 8 * i, true), length = view().getUint32(parts + 8 * i + 4, true);
        text += new TextDecoder().decode(new Uint8Array(memory().buffer, at, length));
        bytes += length;
      }
      console.log(text);
      view().setUint32(written, bytes, true);
      return 0;
    },
  };
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
    if (kind === "function")
      (imports[from] ??= {})[name] = known[name] ?? (() => (from === "env" ? -NO_SUCH_CALL : NO_SUCH_CALL));
  return imports;
}

class Recognizer {
  static async load() {
    const module = await WebAssembly.compile(await unpacked("core"));
    let core;
    core = (await WebAssembly.instantiate(module, systemCalls(module, () => core.memory))).exports;
    core._initialize?.();
    return new Recognizer(core, await unpacked("model"));
  }

  constructor(core, file) {
    this.core = core;
    this.file = file;
    this.images = core.malloc(4 * BATCH * PIXELS);
    this.labels = core.malloc(4 * BATCH);
    this.open();
  }

  // Anew, as the file has it.
  open() {
    if (this.handle) this.core.close(this.handle);
    const bytes = this.core.malloc(this.file.length);
    new Uint8Array(this.core.memory.buffer).set(this.file, bytes);
    this.handle = this.core.open(bytes, this.file.length);
    this.core.free(bytes);
    if (!this.handle) this.fail();
  }

  fail() { throw new Error(this.text(this.core.error()) || "there is no memory left"); }

  text(at) {
    const bytes = new Uint8Array(this.core.memory.buffer, at);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  get classes() { return this.core.classes(this.handle); }
  get version() { return this.text(this.core.version()); }
  get plan() { return this.text(this.core.describe(this.handle)); }

  addClass() { return this.core.add_class(this.handle) || this.fail(); }

  // Probabilities of an image of 28x28 numbers from 0 to 1, the ground 0.
  recognize(image) {
    new Float32Array(this.core.memory.buffer, this.images, PIXELS).set(image);
    const answer = this.core.recognize(this.handle, this.images);
    return answer ? Array.from(new Float32Array(this.core.memory.buffer, answer, this.classes)) : this.fail();
  }

  // One step of the last layer or of all; the loss before it.
  learn(examples, all) {
    const images = new Float32Array(this.core.memory.buffer, this.images, BATCH * PIXELS);
    const labels = new Int32Array(this.core.memory.buffer, this.labels, BATCH);
    examples.forEach(({ image, label }, i) => { images.set(image, i * PIXELS); labels[i] = label; });
    const loss = this.core.learn(this.handle, this.images, this.labels, examples.length, all ? 1 : 0);
    return loss >= 0 ? loss : this.fail();
  }
}
