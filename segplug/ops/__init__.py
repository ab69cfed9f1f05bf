"""Pure functions on arrays and tensors: what components, scores and tests are made of."""
