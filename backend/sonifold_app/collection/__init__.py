"""A user's collection: sound files where they lie on the disk, found by name, by folder, and by how they sound.

tables      the tables, declared once
migrations  how files of older versions come to them
database    the file, opened and brought up to date
words       the index of words: FTS5 here
vectors     latent points and timbre in arrays beside the database
walk        the files in folders
listing     first phase of an ingest: names, folders and tags
analysis    second phase: how each file sounds, by worker processes
duplicates  sounds that are the same to the ear
following   what changes in folders, as the system tells it
ingest      both phases, with progress, pause and cancelling
query       what one writes to find sounds
search      the answer, also by the marks that the user's database has
positions   where the sounds are on a map, as columns of numbers
maps        the maps that they stand on
command     `sonifold ingest` and `sonifold find`
"""
