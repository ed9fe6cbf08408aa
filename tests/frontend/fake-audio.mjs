/** An AudioContext whose clock the test turns, and whose gains can be read at any time. */

class Param {
  constructor(context, value) {
    this.context = context;
    this.start = value;
    this.events = [];
  }
  set value(value) {
    this.start = value;
    this.events = [];
  }
  get value() {
    return this.at(this.context.currentTime);
  }
  setValueAtTime(value, time) {
    this.events.push({ kind: "set", value, time });
  }
  linearRampToValueAtTime(value, time) {
    this.events.push({ kind: "ramp", value, time });
  }
  setTargetAtTime(value, time, constant) {
    this.events.push({ kind: "target", value, time, constant });
  }
  setValueCurveAtTime(curve, time, duration) {
    this.events.push({ kind: "curve", curve, time, duration });
  }
  cancelScheduledValues(time) {
    this.start = this.at(this.context.currentTime);
    this.events = this.events.filter((event) => event.time < time);
  }
  /** As the Web Audio API computes it. */
  at(time) {
    let value = this.start;
    let since = 0;
    const events = [...this.events].sort((p, q) => p.time - q.time);
    for (let i = 0; i < events.length; i++) {
      const event = events[i];
      if (event.kind === "ramp") {
        if (time < event.time)
          return value + (event.value - value) * Math.max(0, (time - since) / (event.time - since));
        value = event.value;
      } else if (event.time <= time) {
        if (event.kind === "set") value = event.value;
        else if (event.kind === "target")
          value = event.value + (value - event.value) * Math.exp(-(time - event.time) / event.constant);
        else {
          const at = Math.min(1, (time - event.time) / event.duration) * (event.curve.length - 1);
          const low = Math.min(event.curve.length - 2, Math.floor(at));
          value = event.curve[low] + (event.curve[low + 1] - event.curve[low]) * (at - low);
        }
      } else break;
      since = event.time;
    }
    return value;
  }
}

class Node {
  constructor(context) {
    this.context = context;
    this.outputs = [];
  }
  connect(node) {
    this.outputs.push(node);
    return node;
  }
  disconnect() {
    this.outputs = [];
  }
}

export class FakeContext {
  currentTime = 0;
  sampleRate = 44100;
  sources = [];

  createGain() {
    const node = new Node(this);
    node.gain = new Param(this, 1);
    return node;
  }
  createBufferSource() {
    const node = new Node(this);
    Object.assign(node, { loop: false, loopStart: 0, loopEnd: 0, stopped: Infinity });
    node.start = (when = this.currentTime, offset = 0) => {
      Object.assign(node, { when, offset });
      this.sources.push(node);
    };
    node.stop = (when = this.currentTime) => (node.stopped = Math.max(when, this.currentTime));
    return node;
  }

  /** The gain with which a source reaches `output` at a time; 0 before it starts and after it stops. */
  loudness(source, output, time = this.currentTime) {
    if (time < source.when || time >= source.stopped) return 0;
    let gain = 1;
    for (let node = source; node !== output; node = node.outputs[0]) {
      if (!node) return 0;
      if (node.gain) gain *= node.gain.at(time);
    }
    return gain;
  }
  /** Where in its buffer a source is at a time, in seconds. */
  reading(source, time = this.currentTime) {
    const at = source.offset + time - source.when;
    const length = source.loopEnd - source.loopStart;
    return source.loop && at >= source.loopEnd ? source.loopStart + ((at - source.loopStart) % length) : at;
  }
}

/** Runs what the player asked to be run now and then, while the context's clock goes on. */
export function clockwork(context) {
  const intervals = new Set();
  const real = { setInterval: globalThis.setInterval, clearInterval: globalThis.clearInterval };
  globalThis.setInterval = (run) => {
    intervals.add(run);
    return run;
  };
  globalThis.clearInterval = (run) => intervals.delete(run);
  return {
    go(seconds, tick = 0.02) {
      const end = context.currentTime + seconds;
      while (context.currentTime < end - 1e-9) {
        context.currentTime = Math.min(end, context.currentTime + tick);
        for (const run of [...intervals]) run();
      }
    },
    idle: () => intervals.size === 0,
    restore: () => Object.assign(globalThis, real),
  };
}
