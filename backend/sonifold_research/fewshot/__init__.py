"""Few-shot adaptation measured on groups of sounds the base never saw: ``sonifold evaluate fewshot``.

groups      the groups, on two sides: settings were chosen on one, the report is of the other
encodings   their features, computed once
bench       one cell: uploads, other sounds, scores
closed      the closed forms        gradient    refining, its variants, from scratch
learned     a metric and a base learned for transfer
run         all cells, resumable    rendered    a look at rendered sound
classify    the protocol of a classifier: making (more sounds), classifiers, nearness
report      docs/fewshot.md
"""
