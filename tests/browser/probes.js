// What the tests ask of the page, beyond what a visitor sees. Put into every page before its own scripts.
window.probes = (() => {
  const box = (element) => element.getBoundingClientRect();
  const visible = (selector) =>
    [...document.querySelectorAll(selector)].filter((element) =>
      element.checkVisibility({ visibilityProperty: true }),
    );
  const positions = () => {
    const { library } = window.sonifold.state();
    return Array.from({ length: library.count }, (_, i) => window.sonifold.locate(i));
  };
  const clear = ([x, y], words) =>
    !words.some((w) => x > w.left - 30 && x < w.right + 30 && y > w.top - 30 && y < w.bottom + 30);
  const words = () => visible(".head > *, .engine, .legend, .scale, .zoom, .tip").map(box);

  // What goes to the loudspeaker, kept for some seconds: a page that is busy misses no short sound. An analyser
  // remembers so many samples at most, so each listens that much later than the one before.
  const PIECE = 32768;
  const PIECES = 8;
  const WINDOW = 2048;
  const pieces = [];
  let heardUntil = 0; // as the AudioContext counts
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to === this.context.destination && this.context instanceof AudioContext)
      for (let i = 0; i < PIECES; i++) {
        const seconds = (i * PIECE) / this.context.sampleRate;
        const later = new DelayNode(this.context, { maxDelayTime: seconds + 1, delayTime: seconds });
        const piece = new AnalyserNode(this.context, { fftSize: PIECE });
        connect.call(this, later);
        connect.call(later, piece);
        pieces.push({ piece, seconds });
      }
    return connect.call(this, to, ...more);
  };

  return {
    // Sounds that lie alone on the map, far from each other: what one clicks is what one gets.
    apart(count) {
      const map = box(document.querySelector(".surface"));
      const at = positions();
      const on = words();
      const alone = at
        .map((_, i) => i)
        .filter((i) => {
          const [x, y] = at[i];
          if (x < map.left + 40 || x > map.right - 40 || y < map.top + 40 || y > map.bottom - 90)
            return false;
          return clear(at[i], on) && at.every(([u, v], j) => i === j || Math.hypot(u - x, v - y) > 3);
        });
      const chosen = [alone[0]];
      const far = (i) => Math.min(...chosen.map((c) => Math.hypot(at[i][0] - at[c][0], at[i][1] - at[c][1])));
      while (chosen.length < count) chosen.push(alone.reduce((best, i) => (far(i) > far(best) ? i : best)));
      return chosen;
    },

    // A place on the map with no sound near it.
    empty() {
      const at = positions();
      const map = box(document.querySelector(".surface"));
      const on = words();
      for (let y = map.top + 60; y < map.bottom - 60; y += 7)
        for (let x = map.left + 200; x < map.right - 100; x += 7)
          if (clear([x, y], on) && at.every(([u, v]) => Math.hypot(u - x, v - y) > 18)) return [x, y];
    },

    // Has anything gone to the loudspeaker since this was last true? Louder than a level: RMS of 46 ms, full scale = 1.
    heard(threshold) {
      const samples = new Float32Array(PIECE);
      for (const { piece, seconds } of pieces) {
        const { currentTime, sampleRate } = piece.context;
        const begin = currentTime - seconds - PIECE / sampleRate;
        piece.getFloatTimeDomainData(samples);
        const first = Math.max(0, Math.ceil((heardUntil - begin) * sampleRate));
        for (let i = first; i + WINDOW <= PIECE; i += WINDOW) {
          const window = samples.subarray(i, i + WINDOW);
          if (window.reduce((sum, x) => sum + x * x, 0) <= WINDOW * threshold ** 2) continue;
          heardUntil = currentTime;
          return true;
        }
      }
      return false;
    },

    // Is it silent now? What sounded before is then over.
    silent() {
      if (window.sonifold.listen.level() >= 1e-5) return false;
      if (pieces.length) heardUntil = pieces[0].piece.context.currentTime;
      return true;
    },

    // The level that goes out, every few milliseconds for a while.
    levels: (ms) =>
      new Promise((done) => {
        const out = [];
        const end = performance.now() + ms;
        const measure = () => {
          out.push(window.sonifold.listen.level());
          if (performance.now() < end) setTimeout(measure, 5);
          else done(out);
        };
        measure();
      }),

    firstStep: (path) => {
      const { buffer, stepSamples } = window.sonifold.state().morph.paths[path].sounds;
      return Array.from(buffer.getChannelData(0).subarray(0, stepSamples));
    },

    // Controls that one cannot reach, because they lie beyond the edge of the screen; a line that scrolls brings them in.
    outside: () =>
      visible("button, a:not(.skip), input, [role=slider], .head > *")
        .filter((element) => !element.closest(".legend"))
        .filter(
          (element) => box(element).width && (box(element).left < -1 || box(element).right > innerWidth + 1),
        )
        .map((element) => element.className),

    // Pairs of controls that lie on each other.
    crossing() {
      const controls = visible(".deck :is(.play, .loop, .seg, .path, .more > *, .weight)");
      const over = (p, q) =>
        Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 &&
        Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 1;
      return controls.flatMap((p, i) =>
        controls
          .slice(i + 1)
          .filter((q) => over(box(p), box(q)))
          .map((q) => `${p.className} and ${q.className}`),
      );
    },

    nameless: () =>
      visible("button, a[href], input, [role=slider], [role=radio], [role=application], canvas[role=img]")
        .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length || e.title))
        .map((e) => e.outerHTML.slice(0, 120)),

    doubleIds: () =>
      [...document.querySelectorAll("[id]")]
        .map(({ id }) => id)
        .filter((id, i, all) => all.indexOf(id) !== i),

    count: (selector) => document.querySelectorAll(selector).length,

    // Which choice is the tab stop of each group of choices.
    tabStops: () =>
      [...document.querySelectorAll("[role=radiogroup]")].map((group) =>
        [...group.querySelectorAll("[role=radio][tabindex='0']")]
          .map((radio) => radio.getAttribute("aria-checked"))
          .join(),
      ),

    pressable: () =>
      visible(".deck :is(.play, .loop, .path, .seg button, .more > *, .weight input)").filter(
        (e) => !e.closest("[inert]"),
      ).length,
  };
})();
