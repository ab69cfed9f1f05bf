"""Necks: feature maps -> feature maps, between backbone and heads."""
