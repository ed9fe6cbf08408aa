/** What main.js makes once and hands to every panel. */
export interface Parts {
  store: import("./core/store.js").Store<import("./core/state.js").State>;
  api: import("./core/api.js").Api;
  actions: import("./actions.js").Actions;
  playback: import("./playback.js").Playback;
  listen: import("./listen/listen.js").Listen;
  made: import("./found/made.js").Made;
  saver: import("./save/saver.js").Saver;
  /** Asks for the library again. */
  refresh: () => Promise<void>;
  toAudioBuffer: (bytes: ArrayBuffer) => AudioBuffer;
  /** Shows what went wrong, with a button that tries it again. */
  complain: (error: unknown, again: () => void) => void;
}
