"""What is heard between two sounds: everything travels, one sound at each step.

``crossing``   two sounds brought to the pitch and the times of a place on the way
``transpose``  a recording at another pitch
``timing``     when a sound does what, and the times between those of two sounds
``level``      loudness on a straight line, peaks rounded off
"""
