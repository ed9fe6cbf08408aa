/** Choices as the service says them, and among them names that stand nowhere in the page's code. */

const choice = (id, label, term) => ({ id, label, term, meaning: `What ${label} means`, sentence: "" });

export const choices = {
  path_kinds: [
    choice("geodesic", "Curved", "geodesic"),
    choice("graph", "Via sounds", "graph path"),
    choice("linear", "Direct", "straight"),
    choice("retimed", "Direct", "even pace"),
    choice("spiral", "Round and round", "spiral"),
  ],
  metrics: [choice("blend", "Blended", "blend"), choice("growing", "Near the middle", "conformal")],
  samplers: [
    choice("importance", "Quick", "importance resampling"),
    choice("prior", "Anywhere", "prior"),
    choice("dice", "By chance", "dice"),
  ],
};
