"""Rendering of morphs between two sounds, one sound at each step.

``path``       a path between two sounds, with everything that was measured on it
``render``     places on a path to sound
``glide``      one sound that travels along a path while it sounds
``crossing``   two sounds in correspondence, and the way between them through the latent space
``moved``      two recordings, each at the pitch and the times of a place on the way
``transpose``  a recording at another pitch
``timing``     when a sound does what, and the times between those of two sounds
``level``      loudness on a straight line, peaks rounded off
``rhythm``     how long each step is heard when one follows the other
"""
