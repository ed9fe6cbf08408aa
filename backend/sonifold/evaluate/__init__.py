"""Evaluation: the measures of the model cards, of reconstructions and of paths, and where they are kept."""
