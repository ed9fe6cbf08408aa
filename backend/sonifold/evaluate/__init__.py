"""How good it is: the measures of the model cards, of reconstructions and of paths, and where they are kept."""
