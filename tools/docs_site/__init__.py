"""What the documentation site has beyond docs/: pages made from the code, and files of the tree."""
