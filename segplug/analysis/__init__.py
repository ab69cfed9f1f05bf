"""What a network costs and what it looks at: pure functions over modules and tensors.

They know no config and write no file; `segplug.apis` gives them models and images.
"""
