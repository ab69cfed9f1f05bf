"""The rules of `segplug migrate`, and the text editing that they are made of."""
