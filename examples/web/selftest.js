// With #selftest in its address the page tries itself, by the events a hand would cause, and writes what came of it into
// <pre id="selftest"> as JSON.

const DIGITS = [ // strokes, in hundredths
  [[50, 15, 34, 24, 28, 45, 30, 68, 42, 84, 57, 82, 70, 66, 72, 42, 66, 22, 50, 15]],
  [[52, 14, 51, 35, 50, 60, 49, 86]],
  [[30, 30, 36, 18, 52, 14, 66, 22, 66, 38, 54, 54, 38, 70, 28, 84, 44, 82, 60, 83, 74, 84]],
  [[30, 20, 48, 14, 64, 22, 64, 38, 48, 47, 62, 52, 70, 66, 62, 82, 44, 87, 28, 78]],
  [[36, 14, 32, 34, 30, 52, 48, 53, 70, 50], [62, 22, 61, 50, 60, 70, 59, 88]],
  [[68, 15, 50, 15, 36, 16, 34, 32, 33, 44, 48, 42, 64, 50, 68, 66, 58, 82, 42, 86, 28, 78]],
  [[60, 12, 46, 26, 36, 46, 31, 66, 38, 84, 54, 87, 67, 76, 66, 62, 54, 55, 40, 60, 33, 72]],
  [[28, 17, 46, 16, 70, 15, 62, 36, 52, 58, 44, 88]],
  [[62, 22, 48, 13, 34, 22, 38, 38, 54, 50, 66, 64, 62, 82, 48, 88, 34, 80, 34, 64, 48, 50, 62, 36, 62, 22]],
  [[64, 26, 50, 14, 36, 22, 34, 38, 46, 48, 60, 40, 65, 26, 64, 48, 62, 68, 58, 88]],
];
const STAR = [[50, 12, 62, 80, 18, 40, 82, 40, 36, 80, 50, 12]];

async function drawByHand(strokes, wobble = 0) {
  const pad = $("pad"), box = pad.getBoundingClientRect();
  const any = () => (Math.random() * 2 - 1) * wobble;
  const fire = (name, x, y) => pad.dispatchEvent(new PointerEvent(name, {
    bubbles: true, pointerId: 1,
    clientX: box.left + box.width * (x + any()) / 100, clientY: box.top + box.height * (y + any()) / 100,
  }));
  page.pad.clear();
  for (const stroke of strokes) {
    fire("pointerdown", stroke[0], stroke[1]);
    for (let i = 2; i < stroke.length; i += 2) fire("pointermove", stroke[i], stroke[i + 1]);
    fire("pointerup", stroke.at(-2), stroke.at(-1));
  }
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return $("best").textContent;
}

async function drawByKeys(moves) {
  const press = key => $("pad").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  page.pad.clear();
  for (const key of moves) press(key);
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return $("best").textContent;
}

async function allDigits() {
  const read = [];
  for (const digit of DIGITS) read.push(await drawByHand(digit));
  return read.join("");
}

function timed(runs, what) {
  const begun = performance.now();
  for (let i = 0; i < runs; i++) what();
  return (performance.now() - begun) / runs;
}

async function selftest() {
  const result = { digits: await allDigits() };
  result.keys = await drawByKeys([" ", ...Array(12).fill("ArrowDown"), " "]);
  const right = page.rehearsal.filter(({ image, label }) => {
    const answer = page.recognizer.recognize(image);
    return answer.indexOf(Math.max(...answer)) === label;
  });
  result.rehearsal = right.length / page.rehearsal.length;
  const image = page.rehearsal[0].image;
  result.recognitionMs = timed(200, () => page.recognizer.recognize(image));
  for (const layers of ["last", "all"]) {
    page.forget();
    document.querySelector(`input[name=layers][value="${layers === "all" ? 1 : 0}"]`).checked = true;
    $("name").value = "star";
    $("new").requestSubmit();
    const before = await drawByHand(STAR);
    for (let i = 0; i < 5; i++) {
      await drawByHand(STAR, 2);
      $("names").lastElementChild.click();
    }
    const losses = await page.train(STEPS);
    const after = await drawByHand(STAR, 2);
    const sure = Math.max(...page.answer), digits = await allDigits();
    result[layers] = { before, after, sure, digits, firstLoss: losses[0], lastLoss: losses.at(-1), stepMs: page.times.step };
  }
  await drawByHand(STAR, 2);
  document.body.append(element("pre", { id: "selftest", hidden: true, textContent: JSON.stringify(result) }));
}

if (location.hash === "#selftest")
  page.ready.then(selftest).catch(error => {
    document.body.append(element("pre", { id: "selftest", hidden: true, textContent: JSON.stringify({ error: String(error) }) }));
  });
