"""Experiments of the field, run again: ``sonifold reproduce NAME``.

mnist120    120 digits, two latent dimensions: sampling by the metric's volume beside its baselines
"""
