"""The service: parse, call, present. The science is ``sonifold``; the page is ``frontend/``.

Read in this order: ``app.py`` (the only wiring), ``engine/base.py`` (what the service asks of the science),
``routes/morphs.py`` (a typical resource).
"""
