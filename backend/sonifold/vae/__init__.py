"""Geometric VAEs on perceptual coefficients: networks, training, augmentation."""
