/** What main.js makes once and hands to every panel. */
export interface Parts {
  store: import("./core/store.js").Store<import("./core/state.js").State>;
  api: import("./core/api.js").Api;
  actions: import("./actions.js").Actions;
  playback: import("./playback.js").Playback;
  listen: import("./listen/listen.js").Listen;
  userSounds: import("./found/user-sounds.js").UserSounds;
  saver: import("./save/saver.js").Saver;
  /** A state of the page as a link: "" or "?a=...". */
  linkOf: (state: import("./core/state.js").State) => string;
  openModel: ReturnType<typeof import("./core/model-links.js").createOpenModel>;
  /** Asks for the library again. */
  refresh: () => Promise<void>;
  files: import("./cloud/files.js").Files;
  /** Library folders on the map; `look`: they may have changed. */
  cloud: { api: import("./cloud/requests.js").CloudApi; look: () => void };
  toAudioBuffer: (bytes: ArrayBuffer) => AudioBuffer;
  /** Shows what went wrong, with a button that tries it again. */
  complain: (error: unknown, again: () => void) => void;
}

/** A panel: the `index.js` of its folder. `P`: what it is handed. */
export interface Panel<P = Parts> {
  /** Its folder, its word in the link, its `data-panel` on the page. */
  name: string;
  label: string;
  /** The label where there is little room. */
  brief?: string;
  /** Path data, drawn as a line in a box of 24. */
  icon: string;
  /** The letter that opens it. */
  key?: string;
  /** It takes more room than other panels. */
  wide?: boolean;
  /** What it adds to the state, as a fresh page has it. Its types: `state.d.ts` of its folder. */
  state: Partial<PanelStates>;
  /** What of it stands in the link. */
  fields: Record<string, import("./core/url.js").Field<any>>;
  /** Whether it works before it is opened. */
  needed?: (state: import("./core/state.js").State) => boolean;
  /** What is going on in it, said by the rail; "": nothing. */
  busy?: (state: import("./core/state.js").State) => string;
  /** A view that comes as a promise is fetched when it is first needed. */
  mount: (root: HTMLElement, parts: P) => View | Promise<View>;
}

export interface View {
  destroy: () => void;
  /** Puts the focus where one writes what one looks for. */
  find?: () => void;
}
