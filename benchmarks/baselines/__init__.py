"""The older ways of testing, plainly written from their published procedures, to compare with.

Each has ``read``, ``predict`` and ``score`` for one image, and takes the network as a function
(N, 3, h, w) float -> logits. Letters: N batch, K classes, H W pixels of the original image, h w
of an augmentation.
"""
