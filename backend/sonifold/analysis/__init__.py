"""What a file of a user's collection is: from its name alone, and from its sound.

names     tags, key and tempo from names of files and folders
analyser  recordings as facts: latent point, timbre, family, pitch, loudness, descriptors
facts     what was found, as plain data
families  the family of a sound by its nearest labelled sounds
"""
