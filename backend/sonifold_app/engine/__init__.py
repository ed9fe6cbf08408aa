"""Who does the computing: one protocol (``protocol``), its ``questions`` and ``answers``, all that can be computed
(``operations``), and the engine in this process (``local``).
"""
