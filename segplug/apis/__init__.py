"""What the command line and a notebook call; each module imports what it needs when it is used."""
