// @ts-check
/** The only wiring: makes the parts, hands them to each other, puts them on the page. */

import { createActions } from "./actions.js";
import { createApi } from "./core/api.js";
import { isAborted, latest } from "./core/client.js";
import { mountAtlas } from "./atlas/atlas.js";
import { createFiles } from "./cloud/files.js";
import { followCloud } from "./cloud/follow.js";
import { createCloudApi } from "./cloud/requests.js";
import { mountSwitch } from "./compare/switch.js";
import { createMorphs } from "./morph/requests.js";
import { createListen } from "./listen/listen.js";
import { toAudioBuffer } from "./listen/wav.js";
import { createDeleting, hidingDeleted } from "./found/deleting.js";
import { createUserSounds } from "./found/user-sounds.js";
import { keepNewSounds } from "./found/visit.js";
import { mountDeck } from "./morph/deck.js";
import { createOperations } from "./combine/operations.js";
import { mountPill } from "./combine/pill.js";
import { PANELS, initialState, linkFields } from "./panels.js";
import { createPlayback } from "./playback.js";
import { mountDragOut } from "./save/drag.js";
import { createSaver } from "./save/saver.js";
import { createServer } from "./boot.js";
import { createOpenModel } from "./core/model-links.js";
import { createHelp } from "./shell/help.js";
import { watchKeys } from "./shell/keys.js";
import { mountLive } from "./shell/live.js";
import { mountNotice } from "./shell/notice.js";
import { mountPanels } from "./shell/panels.js";
import { mountRail } from "./shell/rail.js";
import { keepPreferences, readPreferences, storageOf } from "./shell/preferences.js";
import { mountSound } from "./shell/sound.js";
import { mountStatus } from "./shell/status.js";
import { followTheme } from "./shell/theme.js";
import { isReady, keyOf, measureKey, measureOf } from "./core/state.js";
import { createStore, watch } from "./core/store.js";
import { watchDrops } from "./yours/drop.js";
import { createLinks, troubleOf } from "./core/url.js";
import { busyWords } from "./core/text.js";

const links = createLinks(linkFields(), initialState());
const { state: linked, problems } = links.read(location.search);
const local = storageOf(() => localStorage);
/** @type {import("./core/state.js").State} */
const start = {
  ...initialState(),
  ...readPreferences(local),
  ...linked,
  notice: troubleOf(problems),
};
const store = createStore(start);
keepPreferences(store, local);
keepNewSounds(
  store,
  storageOf(() => sessionStorage),
); // before the operations: what is there is not made again

const service = createApi(
  (url, init) => fetch(url, init),
  undefined,
  (seconds) => store.set({ notice: { text: busyWords(seconds), kind: "news" } }),
);
const api = hidingDeleted(service, () => store.get().deleted);
const windows = "BroadcastChannel" in window ? new BroadcastChannel("sonifold") : undefined;
const server = createServer({ store, api, window, check: links.check, windows });
const complain = server.complain;
const listen = createListen({
  makeContext: (options) => new AudioContext(options),
  ended: () => playback.ended(),
});
const playback = createPlayback({ store, api, listen, toAudioBuffer, complain });
const morphs = createMorphs({ store, api, toAudioBuffer, complain });
const actions = createActions({ store, playback, performance });
const operations = createOperations({ store, api, playback, complain });
const saver = createSaver({ store, api, complain });
const deleting = createDeleting({ store, api, storage: local, refresh: server.refresh, complain });
const openModel = createOpenModel({
  store,
  api,
  linkOf: links.write,
  go: (link) => location.assign(link),
});
const cloudApi = createCloudApi((url, init) => fetch(url, init));
const files = createFiles({ store, api: cloudApi, actions, playback, refresh: server.refresh, complain });
const userSounds = createUserSounds({ store, api, deleting, saver, refresh: server.refresh, complain });

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

followTheme(document.documentElement, store);
const link = links.follow(store, window);
const help = createHelp(store, PANELS);
mountRail(at("rail"), PANELS, { store, actions, help: help.open, opened: (panel) => panels.focus(panel) });
const cloud = followCloud({ store, api: cloudApi });
const atlas = mountAtlas(at("map"), {
  store,
  actions,
  playback,
  openModel,
  cloud: { files, api: cloudApi },
  plotly: plotly(),
});
mountStatus(atlas.engine, store);
mountSound(atlas.engine, { store, playback, listen });
mountDeck(at("deck"), { store, actions, playback, saver, link: link.link });
mountPill(at("map"), { store, actions, operations });
mountSwitch(at("map"), store);
const panels = mountPanels(at("sheet"), PANELS, {
  store,
  api,
  actions,
  playback,
  listen,
  operations,
  userSounds,
  saver,
  linkOf: links.write,
  openModel,
  refresh: server.refresh,
  files,
  cloud: { api: cloudApi, look: cloud.look },
  toAudioBuffer,
  complain,
});
watchDrops(window, store);
mountNotice(at("notice"), store);
mountDragOut(document.body, { store, api });
const live = mountLive(at("live"), store);
watchKeys(window, PANELS, {
  store,
  actions,
  playback,
  operations,
  panels,
  save,
  summary: live.summary,
  help: help.open,
});

/** What is heard, as a file. */
function save() {
  if (isReady(store.get())) void saver.heard();
  else live.say("There is nothing to save yet.");
}

watch(
  store,
  ({ a, b, library }) => [keyOf(a), keyOf(b), library],
  ({ a, b, library }) => {
    const names = [a, b]
      .map((end) => (end?.sound && library ? library.name[library.indexOf(end.sound)] : null))
      .filter(Boolean);
    document.title = names.length ? `${names.join(" to ")} · Sonifold` : "Sonifold";
  },
);
// distances from A, for the table and the tooltip
watch(
  store,
  ({ a, library }) => [a?.sound, library],
  ({ a, library, model }) => {
    store.set({ distances: null });
    const from = a?.sound;
    if (!from || !library || !model) return;
    api.distances(model.id, from).then(
      ({ distance, distances }) =>
        store.get().a?.sound === from && store.set({ distances: { from, distance, values: distances } }),
      () => {}, // the column stays empty; whatever is wrong is said where it matters
    );
  },
);
// the ellipses, when somebody wants to see them, under the metric that is chosen
const stretch = latest(async (signal) => {
  const { model } = store.get();
  if (!model) return;
  try {
    const { ellipses } = await api.indicatrices(model.id, measureOf(store.get()), signal);
    store.set({ indicatrices: ellipses });
  } catch (error) {
    if (!isAborted(error)) complain(error, () => void stretch());
  }
});
watch(
  store,
  (state) => [state.ellipses && state.model !== null, measureKey(state)],
  ({ ellipses, model }) => {
    if (ellipses && model) void stretch();
  },
);
// land and sea by the metric that is chosen, when somebody wants to see that
const shade = latest(async (signal) => {
  const { model } = store.get();
  if (!model) return;
  try {
    store.set({ magnification: await api.magnification(model.id, measureOf(store.get()), signal) });
  } catch (error) {
    if (!isAborted(error)) complain(error, () => void shade());
  }
});
watch(
  store,
  (state) => [state.shaded && state.model !== null, measureKey(state)],
  ({ shaded, model }) => {
    if (shaded && model) void shade();
    else shade.cancel();
    if (!shaded) store.set({ magnification: null });
  },
);
// the engine is back: what failed meanwhile is asked for again
watch(
  store,
  ({ server: { phase } }) => [phase],
  (state) => {
    if (state.server.phase === "ready" && state.morph?.phase === "failed") morphs.again();
  },
);
// how long two clicks take, for the measuring script
watch(
  store,
  (state) => [isReady(state), state.morph?.key],
  (state) => {
    if (!isReady(state) || !performance.getEntriesByName("sonifold:second-click").length) return;
    performance.measure("sonifold:two-clicks", "sonifold:second-click");
    performance.clearMarks("sonifold:second-click");
  },
);

/** Four megabytes that the first sound does not wait for. */
function plotly() {
  return new Promise((resolve) => {
    watch(
      store,
      ({ library }) => [library],
      ({ library }) => {
        if (!library || document.getElementById("plotly")) return;
        const script = Object.assign(document.createElement("script"), {
          id: "plotly",
          src: "vendor/plotly.min.js",
          async: true,
        });
        script.addEventListener("load", resolve);
        requestAnimationFrame(() => setTimeout(() => document.head.append(script)));
      },
    );
  });
}

window.sonifold = { listen, state: store.get, locate: atlas.locate, locateRow: atlas.locateRow };
void server.load();
