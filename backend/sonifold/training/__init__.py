"""From licensed sources to a pack: ``sonifold dataset`` and ``sonifold train``.

datasets    training sets: sources, labels, splits, the folder on disk
augment     altered copies of one-shots
prepare     features and coefficients of a training set, on disk in parts
train       the resumable training loop, of VAEs and RHVAEs
build       all of it in order, and the pack written
drums       the same for an RHVAE of two latent dimensions, on drums of another pack
"""
