"""Few-shot adaptation measured on groups of sounds the base never saw."""
